"""Forms of the people pages. Values are checked by the services; forms only collect them."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.actor import Actor
from sangyu.registry.regions import selectors as regions
from sangyu.registry.regions.enums import Level

from .enums import (
    FACT_VALUES,
    Education,
    FactKind,
    GivenBy,
    HealthKind,
    Housing,
    Marriage,
    NoteTopic,
    Part,
    Proof,
    Purpose,
    Relation,
    Sex,
)
from .models_health import MOST


def region_choices(actor: Actor) -> list[tuple[str, str]]:
    """Streets and communities of the actor's area, in tree order, indented by level."""
    rows = regions.below(actor.path).filter(level__gte=Level.STREET)
    return [("", "—"), *((str(r.pk), "\u3000" * (r.level - Level.STREET) + r.name) for r in rows)]


def empty(choices) -> list[tuple[str, str]]:
    return [("", "—"), *choices]


class RegionForm(forms.Form):
    """Base of forms that choose a region of the actor's area."""

    region_id = forms.TypedChoiceField(label=_("Community"), coerce=int)

    def __init__(self, *args, actor: Actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["region_id"].choices = region_choices(actor)


class PersonForm(forms.Form):
    """Basic data. Numbers are never filled in: an empty field leaves them as they are."""

    name = forms.CharField(label=_("Name"), max_length=50)
    id_number = forms.CharField(
        label=_("ID number"), max_length=30, required=False, help_text=_("Gives birth date and sex by itself.")
    )
    sex = forms.ChoiceField(label=_("Sex"), choices=empty(Sex.choices[1:3]), required=False)
    birth_date = forms.DateField(label=_("Birth date"), required=False, widget=forms.DateInput)
    phone = forms.CharField(label=_("Phone"), max_length=30, required=False)
    address = forms.CharField(label=_("Address"), max_length=200, required=False)
    registered_address = forms.CharField(label=_("Registered address"), max_length=200, required=False)
    latitude = forms.FloatField(label=_("Latitude"), required=False, min_value=-90, max_value=90)
    longitude = forms.FloatField(label=_("Longitude"), required=False, min_value=-180, max_value=180)
    marriage = forms.ChoiceField(label=_("Marriage"), choices=empty(Marriage.choices), required=False)
    education = forms.ChoiceField(label=_("Education"), choices=empty(Education.choices), required=False)
    needs = forms.CharField(label=_("Needs"), max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 3}))


class NewPersonForm(RegionForm, PersonForm):
    source = forms.CharField(label=_("Source"), max_length=100, help_text=_("Where the data come from."))
    field_order = ["name", "id_number", "sex", "birth_date", "phone", "region_id", "address"]


class EditPersonForm(PersonForm):
    remove_phone = forms.BooleanField(label=_("No phone any more"), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)
    field_order = ["name", "id_number", "sex", "birth_date", "phone", "remove_phone", "address"]


def fact_choices() -> list:
    """All values that a person may be given, grouped by kind: "living=alone"."""
    return [("", "—")] + [
        (FactKind(kind).label, [(f"{kind}={value}", label) for value, label in values.items()])
        for kind, values in FACT_VALUES.items()
    ]


class FactForm(forms.Form):
    fact = forms.ChoiceField(label=_("Status"), choices=fact_choices)
    valid_from = forms.DateField(label=_("Holds from"), widget=forms.DateInput)
    last_day = forms.DateField(
        label=_("Last day"), required=False, widget=forms.DateInput, help_text=_("Empty: until further notice.")
    )
    source = forms.CharField(label=_("Source"), max_length=100, help_text=_("Who established it."))
    note = forms.CharField(label=_("Note"), max_length=300, required=False)
    evidence = forms.FileField(label=_("Evidence"), required=False)

    def __init__(self, *args, kind: str = "", **kwargs) -> None:
        """``kind`` offers the values of one kind only."""
        super().__init__(*args, **kwargs)
        if kind in FACT_VALUES:
            self.fields["fact"].choices = [c for c in fact_choices() if c[0] in ("", FactKind(kind).label)]


class EndForm(forms.Form):
    ends_on = forms.DateField(label=_("Holds no more from"), widget=forms.DateInput)
    reason = forms.CharField(label=_("Reason"), max_length=200)


class ContactForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=50)
    relation = forms.ChoiceField(label=_("Relation"), choices=empty(Relation.choices[1:]))
    phone = forms.CharField(label=_("Phone"), max_length=30, required=False)
    priority = forms.IntegerField(label=_("Order of calling"), min_value=1, max_value=20, required=False)
    is_guardian = forms.BooleanField(label=_("Guardian"), required=False)
    is_carer = forms.BooleanField(label=_("Main carer"), required=False)
    lives_with = forms.BooleanField(label=_("Lives in the same home"), required=False)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)


class HouseholdForm(forms.Form):
    address = forms.CharField(label=_("Address"), max_length=200)
    housing = forms.ChoiceField(label=_("Housing"), choices=empty(Housing.choices), required=False)
    floor = forms.IntegerField(label=_("Floor"), min_value=-3, max_value=100, required=False)
    has_lift = forms.NullBooleanField(label=_("Lift"), required=False)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


class ConsentForm(forms.Form):
    purpose = forms.ChoiceField(label=_("Purpose"), choices=empty(Purpose.choices[1:]))
    contact_id = forms.TypedChoiceField(label=_("For whom"), coerce=int, empty_value=None, required=False)
    given_by = forms.ChoiceField(label=_("Given by"), choices=GivenBy.choices)
    given_on = forms.DateField(label=_("Given on"), widget=forms.DateInput)
    version = forms.CharField(label=_("Version of the text"), max_length=20)
    extent = forms.CharField(label=_("Extent"), max_length=200, required=False)
    evidence = forms.FileField(label=_("Evidence"), required=False)

    def __init__(self, *args, contacts=(), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contact_id"].choices = empty((c.pk, f"{c.name} {c.get_relation_display()}") for c in contacts)


#: Version of the text that families are read or sign.
FAMILY_TEXT = "2026-1"


class FamilyAccessForm(forms.Form):
    contact_id = forms.TypedChoiceField(label=_("Relative"), coerce=int)
    parts = forms.MultipleChoiceField(
        label=_("What the relative may see"), choices=Part.choices, required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Name, address and contacts are always seen."),
    )  # fmt: skip
    given_by = forms.ChoiceField(label=_("Given by"), choices=GivenBy.choices)
    given_on = forms.DateField(label=_("Given on"), widget=forms.DateInput)
    proof = forms.ChoiceField(label=_("How it was given"), choices=Proof.choices[:2])
    evidence = forms.FileField(label=_("Signed form (photograph or PDF)"), required=False)
    witness = forms.CharField(label=_("Witness"), max_length=50, required=False, help_text=_("For a spoken consent."))

    def __init__(self, *args, contacts=(), **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["contact_id"].choices = empty((c.pk, f"{c.name} {c.get_relation_display()}") for c in contacts)
        self.fields["evidence"].widget.attrs["accept"] = "image/*,application/pdf"


class WithdrawForm(forms.Form):
    withdrawn_on = forms.DateField(label=_("Withdrawn on"), widget=forms.DateInput)
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)


class PurposeForm(forms.Form):
    purpose = forms.CharField(label=_("Why do you open the notes?"), max_length=200)


class NoteForm(forms.Form):
    topic = forms.ChoiceField(label=_("Topic"), choices=NoteTopic.choices)
    relative = forms.CharField(
        label=_("Relative or guardian concerned"), max_length=50, required=False,
        help_text=_("For example the guardian, or the relative who owes maintenance."),
    )  # fmt: skip
    body = forms.CharField(label=_("Note"), max_length=4000, widget=forms.Textarea(attrs={"rows": 5}))


class HealthForm(forms.Form):
    kind = forms.ChoiceField(label=_("Kind"), choices=HealthKind.choices)
    words = forms.CharField(
        label=_("What"),
        max_length=MOST,
        help_text=_("One disease, allergy or medicine with its dose; no case history."),
    )
    since = forms.DateField(label=_("Since"), required=False, widget=forms.DateInput)
    evidence = forms.FileField(label=_("Evidence"), required=False)


class HealthEndForm(forms.Form):
    until = forms.DateField(label=_("Until"), initial=timezone.localdate, widget=forms.DateInput)
