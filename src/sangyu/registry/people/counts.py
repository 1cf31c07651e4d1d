"""The database of elders in special difficulty, counted by area so that the parts always make up the whole (R-023, R-025)."""

from dataclasses import dataclass, field
from datetime import date

from django.db.models import BooleanField, Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Substr

from sangyu.kernel.actor import Actor
from sangyu.kernel.scoping import PATH_STEP
from sangyu.registry.regions import selectors as regions

from . import finding, selectors
from .enums import Ability, FactKind, Tag, UrbanRural
from .models import PersonFact


@dataclass
class Line:
    """One area: disabled + partly = total; urban + rural + unknown = total. ``unassessed`` stand beside the total."""

    name: str
    path: str
    disabled: int = 0
    partly: int = 0
    urban: int = 0
    rural: int = 0
    unassessed: int = 0

    @property
    def total(self) -> int:
        return self.disabled + self.partly

    @property
    def unknown(self) -> int:
        """Neither urban nor rural is recorded."""
        return self.total - self.urban - self.rural


@dataclass
class Difficult:
    """The lines of the areas below, and their sum."""

    lines: list[Line] = field(default_factory=list)
    whole: Line = field(default_factory=lambda: Line("", ""))


def difficult(actor: Actor, day: date) -> Difficult:
    """Living elders of the database on ``day`` by area directly below the actor's, in one statement.

    Disabled (失能): ability level 3 or 4. Partly disabled (半失能): 1 or 2. Without a level, or intact: ``unassessed``.
    """
    facts = PersonFact.objects.filter(subject=OuterRef("pk")).on(day)
    rows = finding.narrow(selectors.elders(actor, day), {"tag": Tag.DIFFICULT}, day).annotate(
        area=Substr("path", 1, len(actor.path) + PATH_STEP),
        level=Subquery(facts.filter(kind=FactKind.CARE_LEVEL).values("value")[:1]),
        stated=Subquery(facts.filter(kind=FactKind.URBAN_RURAL).values("value")[:1]),
        lives=Case(
            When(stated=UrbanRural.URBAN, then=Value(True)), When(stated=UrbanRural.RURAL, then=Value(False)),
            default=F("region__urban"), output_field=BooleanField(),
        ),
    )  # fmt: skip
    counted = Q(level__in=[*Ability.DISABLED.levels, *Ability.PARTLY.levels])
    found = rows.values("area").annotate(
        n_disabled=Count("pk", filter=Q(level__in=Ability.DISABLED.levels)),
        n_partly=Count("pk", filter=Q(level__in=Ability.PARTLY.levels)),
        n_urban=Count("pk", filter=counted & Q(lives=True)),
        n_rural=Count("pk", filter=counted & Q(lives=False)),
        n_all=Count("pk"),
    )
    names = {r.path: r.name for r in regions.below(actor.path) if len(r.path) <= len(actor.path) + PATH_STEP}
    made = Difficult()
    for row in found.order_by("area"):
        line = Line(names.get(row["area"], row["area"]), row["area"], row["n_disabled"], row["n_partly"], row["n_urban"],
                    row["n_rural"], row["n_all"] - row["n_disabled"] - row["n_partly"])  # fmt: skip
        made.lines.append(line)
        for name in ("disabled", "partly", "urban", "rural", "unassessed"):
            setattr(made.whole, name, getattr(made.whole, name) + getattr(line, name))
    made.whole.path, made.whole.name = actor.path, names.get(actor.path, "")
    return made
