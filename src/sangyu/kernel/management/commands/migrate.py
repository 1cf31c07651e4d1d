"""``migrate`` as Django has it, in a sixth of the time.

Before each operation Django builds the classes of all models anew that are related to the one that changes, however far: some
hundred each time, for nearly everything is related to a region. Tables, constraints and indexes need the one alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.commands import migrate
from django.db.migrations.state import ProjectState


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """New models, and changes that no other model can feel, build that model alone.

    Django itself leaves out the more distant models there, says so (``is_delayed``) and builds all of them anew before it
    runs Python of a migration; so does this.
    """
    whole = ProjectState._find_reload_model

    def alone(self: ProjectState, app_label: str, model_name: str, delay: bool = False) -> set[tuple[str, str]]:
        if not delay and model_name in self.apps.all_models[app_label]:
            return whole(self, app_label, model_name, delay)
        self.is_delayed = True
        return {(app_label, model_name)}

    ProjectState._find_reload_model = alone
    try:
        yield
    finally:
        ProjectState._find_reload_model = whole


class Command(migrate.Command):
    def handle(self, *args, **options) -> None:
        with one_at_a_time():
            super().handle(*args, **options)
