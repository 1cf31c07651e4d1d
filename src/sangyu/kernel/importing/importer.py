"""One import as the page generics ask for it: the steps as methods, bound to a kind."""

from typing import Any

from django.utils import timezone

from sangyu.kernel.actor import ROOT_PATH, Actor

from . import services
from .definition import IMPORTS, Field, Option
from .services import ImportState


class Importer:
    """``importer = Importer("people.roster")`` of an import page."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    @property
    def fields(self) -> list[Field]:
        """The fields in the order of the template."""
        return list(IMPORTS[self.kind](Actor.job("describe", ROOT_PATH), timezone.localdate()).fields)

    @property
    def options(self) -> list[Option]:
        """What is asked once for the file."""
        return list(IMPORTS[self.kind].options())

    @property
    def has_source(self) -> bool:
        return IMPORTS[self.kind].has_source

    def sources(self, *, actor: Actor) -> list[str]:
        return services.sources(actor=actor, kind=self.kind)

    def upload(self, *, actor: Actor, file: Any, source: str = "", settings: dict[str, str] | None = None) -> int:
        return services.upload(actor=actor, kind=self.kind, file=file, source=source, settings=settings)

    def state(self, *, actor: Actor, import_id: int) -> ImportState:
        return services.state(actor=actor, kind=self.kind, import_id=import_id)

    def match(self, *, actor: Actor, import_id: int, matching: dict[str, int | None]) -> ImportState:
        return services.match(actor=actor, kind=self.kind, import_id=import_id, matching=matching)

    def commit(self, *, actor: Actor, import_id: int) -> None:
        services.commit(actor=actor, kind=self.kind, import_id=import_id)

    def progress(self, *, actor: Actor, import_id: int) -> dict[str, Any] | None:
        """The background work that is under way (``operations.as_dict``), or None."""
        return services.progress(actor=actor, kind=self.kind, import_id=import_id)

    def cancel(self, *, actor: Actor, import_id: int) -> None:
        services.cancel(actor=actor, kind=self.kind, import_id=import_id)

    def rejected(self, *, actor: Actor, import_id: int) -> tuple[str, bytes]:
        return services.rejected(actor=actor, kind=self.kind, import_id=import_id)

    def template_file(self, *, actor: Actor) -> tuple[str, bytes]:
        """(file name, workbook) to start from."""
        return services.template(actor=actor, kind=self.kind)
