"""How complete a file is (R-015): one table of items explains one file and computes all files in one statement.

``values.completeness`` is the same in Python, for imports that have the rows in hand; a test holds the two equal.
"""

from dataclasses import dataclass

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .enums import FactKind
from .models import Contact, Person, PersonFact
from .values import WEIGHTS


@dataclass(frozen=True)
class Item:
    """What a complete file has: ``known`` is the condition on persons, ``page`` (url name of a form) where to fill it in."""

    key: str
    label: str | Promise
    page: str
    known: Q
    query: str = ""

    @property
    def weight(self) -> int:
        """Percent of the score."""
        return WEIGHTS[self.key]


def _stated(kind: str) -> Q:
    return Q(Exists(PersonFact.objects.filter(subject=OuterRef("pk"), kind=kind, superseded_at__isnull=True)))


_CALLED = Q(Exists(Contact.objects.filter(person=OuterRef("pk"))))
ITEMS = (
    Item("id_number", _("ID number"), "people:edit", Q(id_number__isnull=False)),
    Item("phone_or_contact", _("A number to call"), "people:edit", Q(phone__isnull=False) | _CALLED),
    Item("address", _("Address"), "people:edit", ~Q(address="")),
    Item("place", _("Place on the map"), "people:edit", Q(latitude__isnull=False)),
    Item("contact", _("Somebody to call"), "people:contact_new", _CALLED),
    Item("household", _("Home and household"), "people:household", Q(household__isnull=False)),
    Item("living", _("Living arrangement"), "people:fact_new", _stated(FactKind.LIVING), "?fact=living"),
    Item(
        "income_category", _("Income category"), "people:fact_new", _stated(FactKind.INCOME_CATEGORY),
        "?fact=income_category",
    ),
    Item("care_level", _("Ability level"), "people:fact_new", _stated(FactKind.CARE_LEVEL), "?fact=care_level"),
    Item("needs", _("Needs"), "people:edit", ~Q(needs="")),
)  # fmt: skip


def missing(person: Person) -> list[Item]:
    """What ``person``'s file lacks, the heaviest first; one query."""
    flags = {f"has_{i.key}": Case(When(i.known, then=Value(1)), default=Value(0)) for i in ITEMS}
    row = Person.objects.filter(pk=person.pk).annotate(**flags).values(*flags).first() or {}
    return sorted((i for i in ITEMS if not row.get(f"has_{i.key}")), key=lambda i: -i.weight)


def recompute(persons: QuerySet) -> int:
    """Score ``persons`` again in one statement; only rows whose score differs are written. Answers how many.

    Run it over all persons when ITEMS or WEIGHTS change (``sangyu django recompute_completeness``).
    """
    score = sum(
        (Case(When(i.known, then=Value(i.weight)), default=Value(0), output_field=IntegerField()) for i in ITEMS),
        start=Value(0, output_field=IntegerField()),
    )
    wrong = persons.annotate(right_score=score).exclude(completeness=F("right_score"))
    return Person.objects.filter(pk__in=wrong.values("pk")).update(completeness=score)
