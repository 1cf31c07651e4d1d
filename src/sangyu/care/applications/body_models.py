"""Fields of rows that concern a person or a body: a facility, an organisation, a worker."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .enums import BodyKind


class ForSubject(models.Model):
    """``person``, or ``body_kind`` and ``body_id``. ``organisation_id`` is the provider that sees a body's rows."""

    body_kind = models.CharField(
        _("Kind of applicant"), max_length=12, choices=BodyKind.choices, blank=True, db_default="", default=""
    )
    body_id = models.BigIntegerField(null=True)
    body_name = models.CharField(pgettext_lazy("thing", "Name"), max_length=100, blank=True, db_default="", default="")
    organisation_id = models.BigIntegerField(null=True)

    class Meta:
        abstract = True

    @property
    def subject_name(self) -> str:
        """Name of the person or body."""
        return self.person.name if self.person_id else self.body_name


def one_subject(name: str) -> models.CheckConstraint:
    """A person or a body, never both."""
    return models.CheckConstraint(
        name=f"{name}_one_subject",
        condition=Q(person__isnull=False, body_kind="", body_id__isnull=True)
        | (Q(person__isnull=True, body_id__isnull=False) & ~Q(body_kind="")),
    )


def of_body(name: str, *fields: str, condition: Q) -> models.UniqueConstraint:
    """Once per body."""
    return models.UniqueConstraint(
        fields=["body_kind", "body_id", *fields], name=name, condition=condition & Q(body_id__isnull=False)
    )
