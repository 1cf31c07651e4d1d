"""Migrations build the models that an operation needs, and all of them where Python runs."""

from django.db import models
from django.db.migrations.operations import AddConstraint, AddField, CreateModel
from django.db.migrations.state import ModelState, ProjectState

from sangyu.kernel.management.commands.migrate import one_at_a_time

KEY = ("id", models.BigAutoField(primary_key=True))
SIZES = models.CheckConstraint(condition=models.Q(size__gt=0), name="size")


def to(name: str) -> models.ForeignKey:
    return models.ForeignKey(f"x.{name}", models.CASCADE)


def walk(monkeypatch) -> tuple[list[str], ProjectState]:
    """Models built after the first, in order; the state at the end."""
    built, render = [], ModelState.render
    state = ProjectState()
    assert state.apps.get_models() == []
    with monkeypatch.context() as watching:
        watching.setattr(ModelState, "render", lambda self, apps: built.append(self.name) or render(self, apps))
        for operation in (
            CreateModel("Region", [KEY]),
            CreateModel("House", [KEY, ("region", to("Region"))]),
            CreateModel("Person", [KEY, ("region", to("Region")), ("size", models.IntegerField())]),
            AddConstraint("Person", SIZES),
            AddField("Person", "age", models.IntegerField(null=True)),
        ):
            operation.state_forwards("x", state)
    return built, state


def test_a_new_model_or_constraint_builds_no_other(monkeypatch):
    with one_at_a_time():
        built, state = walk(monkeypatch)
    assert built == ["Region", "House", "Person", "Person", "Person"]
    assert [f.name for f in state.apps.get_model("x", "Person")._meta.local_fields] == ["id", "region", "size", "age"]
    assert len(walk(monkeypatch)[0]) > len(built)  # what Django does by itself


def test_python_of_a_migration_sees_all_models_related(monkeypatch):
    with one_at_a_time():
        _built, state = walk(monkeypatch)
        state.clear_delayed_apps_cache()  # as RunPython begins
    region, person = (state.apps.get_model("x", name) for name in ("Region", "Person"))
    assert person._meta.get_field("region").related_model is region
    assert {r.related_model.__name__ for r in region._meta.related_objects} == {"House", "Person"}
    assert person._meta.constraints == [SIZES]
