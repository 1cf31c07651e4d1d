"""Persons, their households, contacts, dated facts, consents and guarded notes (docs/rooms/people.md)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField, tail, whole
from sangyu.kernel.facts import DatedFact, fact_constraints
from sangyu.kernel.identity import mask_phone, phone_digits
from sangyu.kernel.scoping import PlaceRow, Scope, ScopedQuerySet, Shared, Within

from .enums import (
    FACT_VALUES,
    Education,
    FactKind,
    GivenBy,
    Housing,
    IdKind,
    Marriage,
    NoteTopic,
    Part,
    Proof,
    Purpose,
    Relation,
    Sex,
    fact_label,
)
from .models_health import HealthNote as HealthNote
from .values import ID_PURPOSE, PHONE_PURPOSE

PHONE_INDEXES = {"phone_index": whole(PHONE_PURPOSE, phone_digits), "phone_tail": tail(PHONE_PURPOSE, phone_digits)}


def _shared_by(column: str) -> Scope:
    """Staff by region; providers, workers and relatives by the persons shared with them one by one."""
    shared = Shared(column, "person")
    return Scope(staff=Within(), provider=shared, worker=shared, family=shared)


class Household(PlaceRow):
    """People who share a home, and the home itself (R-015)."""

    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    address = models.CharField(_("Address"), max_length=200)
    housing = models.CharField(_("Housing"), max_length=10, choices=Housing.choices, blank=True)
    floor = models.SmallIntegerField(_("Floor"), null=True, blank=True)
    has_lift = models.BooleanField(_("Lift"), null=True, blank=True)
    note = models.CharField(_("Note"), max_length=300, blank=True)

    about = "members"
    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("household")

    def __str__(self) -> str:
        return self.address


class LivePersons(models.Manager.from_queryset(ScopedQuerySet)):
    """Files that were not merged into another: what lists, searches and counts see."""

    def get_queryset(self) -> ScopedQuerySet:
        return super().get_queryset().filter(merged_into__isnull=True)


class Person(PlaceRow):
    """One human being. An elder is a person with ``registered_on``; relatives may be persons without it.

    ``id_number`` and ``phone`` are ciphertext with blind indexes beside them. The birth date is kept in the clear,
    so the last four characters of the ID number must not be: area, birth date and tail together are the number.
    """

    name = models.CharField(_("Name"), max_length=50, db_collation="C")
    pinyin = models.CharField(max_length=100, db_collation="C", editable=False)
    initials = models.CharField(max_length=50, db_collation="C", editable=False)
    sex = models.CharField(_("Sex"), max_length=1, choices=Sex.choices)
    birth_date = models.DateField(_("Birth date"), null=True, blank=True)
    id_kind = models.CharField(_("Kind of ID document"), max_length=10, choices=IdKind.choices, blank=True)
    id_number = EncryptedTextField(
        _("ID number"),
        purpose="people.person.id_number",
        indexes={"id_index": whole(ID_PURPOSE), "id_tail": tail(ID_PURPOSE)},
    )
    id_index = models.BinaryField(max_length=16, null=True, editable=False)
    id_tail = models.BinaryField(max_length=8, null=True, editable=False)
    phone = EncryptedTextField(_("Phone"), purpose="people.person.phone", indexes=PHONE_INDEXES)
    phone_index = models.BinaryField(max_length=16, null=True, editable=False)
    phone_tail = models.BinaryField(max_length=8, null=True, editable=False)
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Area"))
    household = models.ForeignKey(
        Household, null=True, blank=True, on_delete=models.PROTECT, related_name="members", verbose_name=_("Household")
    )
    address = models.CharField(_("Address"), max_length=200, blank=True)
    registered_address = models.CharField(_("Registered address"), max_length=200, blank=True)
    latitude = models.FloatField(_("Latitude"), null=True, blank=True)
    longitude = models.FloatField(_("Longitude"), null=True, blank=True)
    ethnicity = models.CharField(_("Ethnicity"), max_length=2, blank=True)
    marriage = models.CharField(_("Marriage"), max_length=2, choices=Marriage.choices, blank=True)
    education = models.CharField(_("Education"), max_length=2, choices=Education.choices, blank=True)
    needs = models.CharField(_("Needs"), max_length=300, blank=True)
    photo = models.ForeignKey(
        "kernel.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Photo")
    )
    registered_on = models.DateField(_("Registered on"), null=True, blank=True)
    died_on = models.DateField(_("Day of death"), null=True, blank=True)
    source = models.CharField(_("Source"), max_length=100)
    completeness = models.PositiveSmallIntegerField(default=0, editable=False)
    checked_on = models.DateField(_("Last check"), null=True, blank=True)
    #: Since then the data are kept for a statute only (PIPL 47): not shown, not exported, not changed; set by ``restricting``.
    restricted_at = models.DateTimeField(_("Restricted since"), null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    #: The file that this one was merged into (ADR 0013): a tombstone without numbers, kept so that its address still leads.
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+", editable=False, db_index=False
    )

    restricted_by = "restricted_at"
    scope = _shared_by("id")
    objects = LivePersons()
    everyone = ScopedQuerySet.as_manager()
    history = History(hidden=("updated_at", "completeness", "id_index", "id_tail", "phone_index", "phone_tail"))

    class Meta:
        verbose_name = _("elder")
        constraints = [
            models.UniqueConstraint(fields=["id_index"], name="person_id_once"),
            models.CheckConstraint(
                name="person_id_whole",
                condition=Q(id_number__isnull=True, id_index__isnull=True, id_tail__isnull=True, id_kind="")
                | (Q(id_number__isnull=False, id_index__isnull=False, id_tail__isnull=False) & ~Q(id_kind="")),
            ),
            models.CheckConstraint(
                name="person_phone_whole",
                condition=Q(phone__isnull=True, phone_index__isnull=True, phone_tail__isnull=True)
                | Q(phone__isnull=False, phone_index__isnull=False, phone_tail__isnull=False),
            ),
            models.CheckConstraint(
                name="person_dies_after_birth",
                condition=Q(died_on__isnull=True) | Q(birth_date__isnull=True) | Q(died_on__gte=F("birth_date")),
            ),
            models.CheckConstraint(
                name="person_elder_has_birth_date",
                condition=Q(registered_on__isnull=True) | Q(birth_date__isnull=False),
            ),
            models.CheckConstraint(name="person_sex", condition=Q(sex__in=Sex.values)),
            models.CheckConstraint(
                name="person_tombstone_has_no_numbers",
                condition=Q(merged_into__isnull=True) | Q(id_index__isnull=True, phone_index__isnull=True),
            ),
            models.CheckConstraint(
                name="person_place",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
            ),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="person_name"),
            models.Index(fields=["pinyin", "id"], name="person_pinyin"),
            models.Index(fields=["initials", "id"], name="person_initials"),
            models.Index(fields=["id_tail"], name="person_id_tail", condition=Q(id_tail__isnull=False)),
            models.Index(fields=["phone_index"], name="person_phone", condition=Q(phone_index__isnull=False)),
            models.Index(fields=["phone_tail"], name="person_phone_tail", condition=Q(phone_tail__isnull=False)),
            models.Index(fields=["path", "birth_date"], name="person_path_birth"),
            models.Index(fields=["-updated_at", "-id"], name="person_recent"),
            models.Index(fields=["birth_date", "sex", "name"], name="person_birth_name"),
            models.Index(fields=["completeness", "id"], name="person_completeness"),
            models.Index(
                fields=["checked_on", "id"],
                name="person_checked",
                condition=Q(died_on__isnull=True, registered_on__isnull=False, merged_into__isnull=True),
            ),
            models.Index(fields=["path"], name="person_restricted", condition=Q(restricted_at__isnull=False)),
            models.Index(fields=["merged_into"], name="person_merged", condition=Q(merged_into__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def survivor_of(cls, pk: int) -> int | None:
        """The file that ``pk`` was merged into, when the open scope sees both."""
        into = cls.everyone.filter(pk=pk).values_list("merged_into_id", flat=True).first()
        return into if into and cls.objects.filter(pk=into).exists() else None


class PersonFact(DatedFact):
    """A dated status of a person, with source and evidence (R-017, R-019 … R-025); values: enums.FACT_VALUES.

    The kind ``region`` holds the id of the responsible region: where the person belonged on a past day.
    """

    subject = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="facts", db_index=False)

    follows = "subject"
    scope = _shared_by("subject_id")
    history = History()

    class Meta:
        verbose_name = _("status")
        constraints = [
            *fact_constraints("person_fact"),
            models.CheckConstraint(
                name="person_fact_value",
                condition=models.Q(
                    *(Q(kind=str(kind), value__in=[str(v) for v in values]) for kind, values in FACT_VALUES.items()),
                    Q(kind="region", value__regex=r"^[0-9]+$"),
                    _connector=Q.OR,
                ),
            ),
        ]
        indexes = [
            # with what lists and benefit runs read of a fact, so that they need not fetch its row
            models.Index(
                fields=["kind", "value", "path"],
                include=["subject", "valid_from", "valid_to"],
                name="person_fact_live",
                condition=Q(superseded_at__isnull=True),
            ),
            # one person's fact of one kind; the constraint's index answers it too, at six times the price
            models.Index(fields=["subject", "kind"], name="person_fact_subject"),
            # what ends: few among all, and few of them in one month
            models.Index(
                fields=["valid_to"],
                name="person_fact_ending",
                condition=Q(superseded_at__isnull=True, valid_to__isnull=False),
            ),
            # who ever belonged to another region: few among all, asked for by every benefit run
            models.Index(
                fields=["subject"],
                name="person_fact_moved",
                condition=Q(kind="region") & (Q(valid_to__isnull=False) | Q(superseded_at__isnull=False)),
            ),
        ]

    @property
    def kind_label(self) -> str:
        return str(FactKind(self.kind).label)

    @property
    def value_label(self) -> str:
        return fact_label(self.kind, self.value)


class Contact(PlaceRow):
    """Somebody to call for a person: relative, neighbour, carer. ``account`` is set when the contact may sign in."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="contacts")
    name = models.CharField(_("Name"), max_length=50)
    relation = models.CharField(_("Relation"), max_length=2, choices=Relation.choices)
    phone = EncryptedTextField(_("Phone"), purpose="people.contact.phone", indexes=PHONE_INDEXES)
    phone_index = models.BinaryField(max_length=16, null=True, editable=False)
    phone_tail = models.BinaryField(max_length=8, null=True, editable=False)
    priority = models.PositiveSmallIntegerField(_("Order of calling"), default=1)
    is_guardian = models.BooleanField(_("Guardian"), default=False)
    is_carer = models.BooleanField(_("Main carer"), default=False)
    lives_with = models.BooleanField(_("Lives in the same home"), default=False)
    address = models.CharField(_("Address"), max_length=200, blank=True)
    note = models.CharField(_("Note"), max_length=200, blank=True)
    account = models.ForeignKey(
        "accounts.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Account")
    )

    follows = "person"
    scope = _shared_by("person_id")
    history = History(hidden=("phone_index", "phone_tail"))

    class Meta:
        verbose_name = _("contact")
        ordering = ["priority", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "account"], name="contact_account_once", condition=Q(account__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["phone_index"], name="contact_phone", condition=Q(phone_index__isnull=False))]

    def __str__(self) -> str:
        return self.name

    @property
    def phone_masked(self) -> str:
        return mask_phone(self.phone)


class Consent(PlaceRow):
    """Consent by purpose and version of the text, given on a day and perhaps withdrawn (R-027, standards §6.4)."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="consents")
    purpose = models.CharField(_("Purpose"), max_length=20, choices=Purpose.choices)
    version = models.CharField(_("Version of the text"), max_length=20)
    extent = models.CharField(_("Extent"), max_length=200, blank=True)
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="consents", verbose_name=_("For whom")
    )
    given_by = models.CharField(_("Given by"), max_length=10, choices=GivenBy.choices)
    given_on = models.DateField(_("Given on"))
    withdrawn_on = models.DateField(_("Withdrawn on"), null=True, blank=True)
    withdrawn_reason = models.CharField(_("Reason"), max_length=200, blank=True)
    evidence = models.ForeignKey(
        "kernel.StoredFile",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("Evidence"),
    )
    parts = ArrayField(models.CharField(max_length=10, choices=Part.choices), default=list, blank=True)
    proof = models.CharField(_("How it was given"), max_length=10, choices=Proof.choices, blank=True)
    witness = models.CharField(_("Witness"), max_length=50, blank=True)

    follows = "person"
    scope = _shared_by("person_id")
    history = History()

    @staticmethod
    def own(purpose: str) -> Q:
        """Condition: somebody's own consent to ``purpose`` that holds (not one that lets a relative see)."""
        return Q(purpose=purpose, contact=None, withdrawn_on__isnull=True)

    class Meta:
        verbose_name = _("consent")
        constraints = [
            models.UniqueConstraint(
                fields=["person", "purpose", "contact"],
                name="consent_once",
                condition=Q(withdrawn_on__isnull=True),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="consent_withdrawn_after_given",
                condition=Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gte=F("given_on")),
            ),
            models.CheckConstraint(
                name="consent_oral_has_witness", condition=~Q(proof=Proof.ORAL.value) | ~Q(witness="")
            ),
            models.CheckConstraint(
                name="consent_family_names_contact",
                condition=~Q(purpose=Purpose.FAMILY_VIEW.value) | Q(contact__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.given_on}"

    @property
    def parts_label(self) -> str:
        """The parts of the file that it opens, in words."""
        return "、".join(str(Part(p).label) for p in self.parts)


class GuardedNote(PlaceRow):
    """A legal concern, read only with its own permission and each reading logged (R-028)."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="guarded_notes")
    topic = models.CharField(_("Topic"), max_length=20, choices=NoteTopic.choices)
    body = EncryptedTextField(_("Note"), purpose="people.guarded_note.body")
    written_at = models.DateTimeField(default=timezone.now)
    account_id = models.BigIntegerField(null=True)
    author = models.CharField(max_length=100)
    relative = models.CharField(_("Relative or guardian concerned"), max_length=50, blank=True)
    closed_on = models.DateField(null=True, blank=True)

    follows = "person"
    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("guarded note")

    def __str__(self) -> str:
        return str(self.get_topic_display())
