"""Facilities, organisations and workers as applicants: whose they are and where they lie. Call inside a scope."""

from dataclasses import dataclass
from datetime import date

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.scoping import as_system
from sangyu.registry.facilities import selectors as facilities
from sangyu.registry.organisations import selectors as organisations
from sangyu.registry.regions import selectors as regions
from sangyu.registry.workforce import selectors as workforce

from . import offers
from .enums import BodyKind


@dataclass(frozen=True, slots=True)
class Body:
    """One body. ``organisation_id`` is the provider that acts for it."""

    kind: str
    id: int
    name: str
    path: str
    organisation_id: int | None

    @property
    def code(self) -> str:
        """Code of its county, for numbers."""
        with as_system("the code of a county is public"):
            found = regions.ancestors(self.path)
            return next((r.code[:6] for r in reversed(found) if len(r.path) <= 12), "")


def find(actor: Actor, kind: str, pk: int) -> Body:
    """The body as the actor sees it; staff act for those of their own area. Raises NotVisible."""
    match kind:
        case BodyKind.FACILITY:
            row = facilities.get_facility(actor, pk)
            return Body(kind, pk, row.name, row.path, row.organisation_id)
        case BodyKind.ORGANISATION:
            row = organisations.get_organisation(actor, pk)
            return Body(kind, pk, row.name, row.path, row.pk)
        case BodyKind.WORKER:
            row = workforce.get_worker(actor, pk)
            return Body(kind, pk, row.name, row.path, row.organisation_id)
    raise NotVisible


def acted_for(actor: Actor, kind: str, pk: int) -> Body:
    """The body, for a provider its own, for an office one of its area: registers are read from below, too. Raises NotVisible."""
    body = find(actor, kind, pk)
    if actor.audience is not Audience.PROVIDER and not body.path.startswith(actor.path):
        raise NotVisible
    return body


def fields(body: Body) -> dict:
    """What a row of the body keeps of it (``body_models.ForSubject``)."""
    return {
        "body_kind": body.kind, "body_id": body.id, "body_name": body.name[:100],
        "organisation_id": body.organisation_id, "path": body.path,
    }  # fmt: skip


def concerned(body: Body, day: date) -> list[offers.Offer]:
    """Policies for bodies of this kind that hold on ``day`` where it lies, given on application or not."""
    with as_system("what a policy offers is public where it holds"):
        return [offers.made(v, p) for v, p in offers.in_force(body.path, day) if p.subject == body.kind]


def offered(body: Body, day: date) -> list[offers.Offer]:
    """Policies on application that the body may ask for on ``day``."""
    return sorted((o for o in concerned(body, day) if o.on_application), key=lambda o: (o.name, o.code))


def own(actor: Actor, most: int) -> list[Body]:
    """Whom the actor may act for, by kind and name."""
    own = {"path__startswith": actor.path} if actor.audience is not Audience.PROVIDER else {}
    rows = [
        (BodyKind.FACILITY, facilities.facilities_visible(actor), "organisation_id"),
        (BodyKind.ORGANISATION, organisations.organisations_visible(actor), "id"),
        (BodyKind.WORKER, workforce.workers_visible(actor), "organisation_id"),
    ]
    return [
        Body(kind, pk, name, path, organisation_id)
        for kind, found, whose in rows
        for pk, name, path, organisation_id in found.filter(**own).order_by("name", "id").values_list("id", "name", "path", whose)[:most]
    ]  # fmt: skip
