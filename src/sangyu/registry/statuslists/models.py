"""Lists of a month from an authority, and each line of them as compared with the register (docs/rooms/statuslists.md)."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.crypto import EncryptedTextField
from sangyu.kernel.identity import mask_id_number
from sangyu.kernel.scoping import PlaceRow, Scope, Within
from sangyu.registry.people.enums import FACT_VALUES

from .enums import SPECS, LineState, ListKind, Outcome


class StatusList(PlaceRow):
    """One list: what it is about, of which month, from whom. It covers the region of ``path``."""

    kind = models.CharField(_("Kind of list"), max_length=20, choices=ListKind.choices)
    month = models.DateField(_("Month"))
    authority = models.CharField(pgettext_lazy("status list", "From"), max_length=60)
    region_name = models.CharField(_("Area"), max_length=100)
    batch = models.ForeignKey("importing.ImportBatch", on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(_("File"), max_length=200)
    created_at = models.DateTimeField(_("Entered at"), default=timezone.now)
    created_by = models.CharField(_("Entered by"), max_length=100)
    lines_count = models.PositiveIntegerField(_("Lines"), default=0)

    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("status list")
        constraints = [
            models.CheckConstraint(name="statuslist_month_first", condition=Q(month__day=1)),
        ]
        indexes = [models.Index(fields=["kind", "-month"], name="statuslist_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.month:%Y-%m} {self.authority}"

    def source_of(self, row: int | None) -> str:
        """What a status or its end names as its source."""
        name = f"{self.authority} {self.get_kind_display()} {self.month:%Y-%m}"
        return f"{name} #{row}"[:100] if row else name[:100]


class StatusLine(PlaceRow):
    """One line of a list, or one registered person who stands on it no more (``row`` empty, outcome ``ended``).

    ``path`` is the person's when known, else the list's. A line is settled once: ``done`` or ``dismissed``, by whom and why.
    """

    status_list = models.ForeignKey(StatusList, on_delete=models.PROTECT, related_name="lines", verbose_name=_("List"))
    row = models.PositiveIntegerField(_("Row"), null=True)
    name = models.CharField(_("Name"), max_length=50)
    sex = models.CharField(max_length=1, blank=True)
    birth_date = models.DateField(_("Birth date"), null=True)
    id_number = EncryptedTextField(_("ID number"), purpose="statuslists.line.id_number")
    phone = EncryptedTextField(_("Phone"), purpose="statuslists.line.phone")
    region_text = models.CharField(_("Community"), max_length=100, blank=True)
    address = models.CharField(_("Address"), max_length=200, blank=True)
    value = models.CharField(max_length=60, blank=True)
    since = models.DateField(_("Since"))
    outcome = models.CharField(_("Comparison"), max_length=10, choices=Outcome.choices)
    code = models.CharField(max_length=20, blank=True)
    message = models.CharField(_("Explanation"), max_length=300, blank=True)
    person = models.ForeignKey(
        "people.Person", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("Person")
    )
    candidates = models.JSONField(default=list)
    state = models.CharField(_("State"), max_length=10, choices=LineState.choices, default=LineState.OPEN)
    reason = models.CharField(_("Reason"), max_length=200, blank=True)
    decided_at = models.DateTimeField(_("Settled at"), null=True)
    decided_by = models.CharField(_("Settled by"), max_length=100, blank=True)

    scope = Scope(staff=Within())
    history = History()

    class Meta:
        verbose_name = _("line of a status list")
        constraints = [
            models.UniqueConstraint(fields=["status_list", "row"], name="statusline_row_once"),
            models.CheckConstraint(
                name="statusline_settled_whole",
                condition=Q(state="open", decided_at__isnull=True) | (~Q(state="open") & Q(decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="statusline_ended_has_person", condition=~Q(outcome="ended") | Q(person__isnull=False)
            ),
        ]
        indexes = [models.Index(fields=["status_list", "outcome", "state"], name="statusline_outcome")]

    def __str__(self) -> str:
        return self.name

    @property
    def id_masked(self) -> str:
        return mask_id_number(self.id_number)

    @property
    def value_label(self) -> str:
        spec = SPECS.get(self.status_list.kind)
        return str(FACT_VALUES[spec.fact].get(self.value, self.value)) if spec and self.value else ""
