"""The policy library: what allows a payment, with its number, its validity and its file (R-171)."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.kernel.audit import History
from sangyu.kernel.dated import DatedQuerySet, DatedRow, not_empty
from sangyu.kernel.scoping import Everyone, PathField, Published, Scope

from .enums import Kind, Level

PUBLIC = Everyone("published documents of government, without personal data")


class Document(DatedRow):
    """One document. ``valid_to`` is the first day on which it holds no more; ``replaces`` is the one it takes the place of.

    ``main`` is the document that this one carries out: the "1" of a family "1+N".
    """

    number = models.CharField(_("Document number"), max_length=60, blank=True)
    title = models.CharField(pgettext_lazy("documents", "Title"), max_length=200)
    issuer = models.CharField(pgettext_lazy("documents", "Issued by"), max_length=100)
    level = models.CharField(_("Tier"), max_length=10, choices=Level.choices)
    kind = models.CharField(pgettext_lazy("documents", "Kind"), max_length=12, choices=Kind.choices)
    issued_on = models.DateField(_("Issued on"))
    summary = models.CharField(_("In short"), max_length=500, blank=True)
    file = models.ForeignKey(
        "kernel.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("File")
    )
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by", verbose_name=_("Replaces")
    )
    main = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="parts", verbose_name=_("Carries out")
    )
    region = models.ForeignKey("regions.Region", on_delete=models.PROTECT, related_name="+", verbose_name=_("Region"))
    path = PathField(db_index=True)

    scope = Scope(staff=Published(), provider=PUBLIC, worker=PUBLIC, family=PUBLIC)
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        ordering = ["-issued_on", "-id"]
        constraints = [
            not_empty("document"),
            models.UniqueConstraint(fields=["path", "number"], name="document_number_once", condition=~Q(number="")),
            models.CheckConstraint(name="document_kind", condition=Q(kind__in=Kind.values)),
            models.CheckConstraint(name="document_level", condition=Q(level__in=Level.values)),
            models.CheckConstraint(
                name="document_replaces_another", condition=Q(replaces__isnull=True) | ~Q(replaces=models.F("id"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}（{self.number}）" if self.number else self.title

    @property
    def is_list(self) -> bool:
        return Kind(self.kind).is_list


class ListLine(models.Model):
    """One line of a list document: who is owed what, by whom; ``policy`` is the code of the policy that carries it out."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="lines", verbose_name=_("List"))
    number = models.PositiveSmallIntegerField(_("No."))
    audience = models.CharField(pgettext_lazy("documents", "For whom"), max_length=200)
    name = models.CharField(pgettext_lazy("documents", "Item"), max_length=100)
    content = models.CharField(_("What is given"), max_length=500, blank=True)
    responsible = models.CharField(_("Who is responsible"), max_length=100, blank=True)
    policy = models.CharField(_("Policy code"), max_length=60, blank=True)
    path = PathField(db_index=True)

    scope = Scope(staff=Published(), provider=PUBLIC, worker=PUBLIC, family=PUBLIC)
    history = History()
    objects = DatedQuerySet.as_manager()

    class Meta:
        verbose_name = _("line of a list")
        ordering = ["document", "number"]
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="document_line_once")]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"
