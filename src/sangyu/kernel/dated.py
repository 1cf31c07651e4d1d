"""Rows that hold for an interval of days ``[valid_from, valid_to)``: licences, prices, versions of an item.

The end is the first day on which the row holds no more (None = open), as with dated facts; ``last_day`` is what documents print.
"""

from datetime import date, timedelta

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .facts import DateRange
from .scoping import ScopedQuerySet


def valid_on(day: date, prefix: str = "") -> Q:
    """Condition for rows that hold on ``day``; ``prefix`` leads to them through a relation ("licences__")."""
    started = Q(**{f"{prefix}valid_from__lte": day})
    return started & (Q(**{f"{prefix}valid_to__isnull": True}) | Q(**{f"{prefix}valid_to__gt": day}))


class DatedQuerySet(ScopedQuerySet):
    def on(self, day: date) -> "DatedQuerySet":
        """Rows that hold on ``day``."""
        return self.filter(valid_on(day))

    def ending(self, day: date, within_days: int) -> "DatedQuerySet":
        """Rows that hold on ``day`` and end within ``within_days`` days after it, soonest first."""
        return self.on(day).filter(valid_to__lte=day + timedelta(days=within_days)).order_by("valid_to", "id")


class DatedRow(models.Model):
    """Base of rows with an interval of days."""

    valid_from = models.DateField(_("From"))
    valid_to = models.DateField(_("Until"), null=True, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def last_day(self) -> date | None:
        """The last day on which the row holds, as printed on a licence; None = open."""
        return self.valid_to - timedelta(days=1) if self.valid_to else None

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


def not_empty(name: str) -> models.CheckConstraint:
    """The interval has at least one day."""
    return models.CheckConstraint(
        name=f"{name}_not_empty", condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from"))
    )


def no_overlap(name: str, *keys: str, condition: Q | None = None) -> ExclusionConstraint:
    """Among rows with equal ``keys`` no two intervals share a day."""
    expressions = [(key, RangeOperators.EQUAL) for key in keys]
    expressions.append((DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS))
    return ExclusionConstraint(name=f"{name}_no_overlap", expressions=expressions, condition=condition)
