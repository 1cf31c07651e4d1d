"""Facts with dates (design rule 2, docs/adr/0003-dated-facts.md).

A fact is a value of one kind that holds for a subject in ``[valid_from, valid_to)``, with the time it was recorded and,
once replaced, the time it was superseded. Live intervals of one kind never overlap (exclusion constraint); superseded
rows stay, so any past day can be read as known then or as known now.
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import connection, models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from .errors import Invalid
from .scoping import PlaceRow, ScopedQuerySet


class DateRange(Func):
    function = "daterange"
    output_field = DateRangeField()


class FactQuerySet(ScopedQuerySet):
    def known_on(self, moment: datetime | None) -> "FactQuerySet":
        """Rows as the system knew them at ``moment``; None = as known now."""
        if moment is None:
            return self.filter(superseded_at__isnull=True)
        return self.filter(Q(superseded_at__isnull=True) | Q(superseded_at__gt=moment), recorded_at__lte=moment)

    def on(self, day: date, *, known: datetime | None = None) -> "FactQuerySet":
        """Facts that hold on ``day``, as known at ``known`` (None = now)."""
        return self.known_on(known).filter(Q(valid_to__isnull=True) | Q(valid_to__gt=day), valid_from__lte=day)


class DatedFact(PlaceRow):
    """Base of a room's fact table. The room adds the foreign key ``subject`` and ``fact_constraints(name)`` in Meta."""

    kind = models.CharField(max_length=40)
    value = models.CharField(max_length=60)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField(default=timezone.now)
    superseded_at = models.DateTimeField(null=True)
    source = models.CharField(max_length=100)
    note = models.CharField(max_length=300, blank=True)
    evidence = models.ForeignKey("kernel.StoredFile", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = FactQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind}={self.value} [{self.valid_from}, {self.valid_to or '∞'})"


def fact_constraints(name: str, subject: str = "subject") -> list[models.BaseConstraint]:
    """No overlap among live rows of one subject and kind; no empty interval."""
    return [
        ExclusionConstraint(
            name=f"{name}_no_overlap",
            expressions=[
                (F(subject), RangeOperators.EQUAL),
                ("kind", RangeOperators.EQUAL),
                (DateRange("valid_from", "valid_to"), RangeOperators.OVERLAPS),
            ],
            condition=Q(superseded_at__isnull=True),
        ),
        models.CheckConstraint(
            name=f"{name}_not_empty", condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from"))
        ),
    ]


def record(
    model: type[DatedFact],
    *,
    subject: models.Model,
    kind: str,
    value: str | None,
    valid_from: date,
    valid_to: date | None = None,
    source: str,
    note: str = "",
    evidence=None,
    now: datetime | None = None,
) -> DatedFact | None:
    """State that ``kind`` is ``value`` for ``subject`` in ``[valid_from, valid_to)``; ``value=None`` removes it there.

    What was known before is superseded, and what of it lies outside the new interval is kept as new rows. Returns the
    new row (None when removing). Raises Invalid when the interval is empty.
    """
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid({"valid_to": [_("The end must be after the start.")]})
    now = now or timezone.now()
    # Two clients stating facts of one subject wait for each other: a first fact has no row of its own to lock.
    type(subject)._base_manager.select_for_update(of=("self",), no_key=True).filter(pk=subject.pk).first()
    overlapping = model.objects.select_for_update().filter(subject=subject, kind=kind).known_on(None)
    overlapping = overlapping.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=valid_from))
    if valid_to is not None:
        overlapping = overlapping.filter(valid_from__lt=valid_to)
    common = {"subject": subject, "path": subject.path, "kind": kind, "recorded_at": now}
    remainders = []
    for old in overlapping.order_by("valid_from"):
        kept = {"value": old.value, "source": old.source, "note": old.note, "evidence": old.evidence}
        if old.valid_from < valid_from:
            remainders.append(model(**common, **kept, valid_from=old.valid_from, valid_to=valid_from))
        if valid_to is not None and (old.valid_to is None or old.valid_to > valid_to):
            remainders.append(model(**common, **kept, valid_from=valid_to, valid_to=old.valid_to))
        old.superseded_at = now
        old.save(update_fields=["superseded_at"])
    model.objects.bulk_create(remainders)
    if value is None:
        return None
    return model.objects.create(
        **common, value=value, valid_from=valid_from, valid_to=valid_to, source=source, note=note, evidence=evidence
    )


def record_many(
    model: type[DatedFact],
    rows: Iterable[tuple[int, str, str, str | None, str]],
    *,
    valid_from: date,
    now: datetime | None = None,
    evidence_id: int | None = None,
    note: str = "",
) -> int:
    """``record`` for many subjects in a few statements: (subject id, path, kind, value, source) holds from ``valid_from`` on.

    A value of None ends the kind on that day. Subjects are locked in the order of their ids. Answers how many intervals
    began. A subject and kind may stand in ``rows`` once.
    """
    now = now or timezone.now()
    table, subjects = model._meta.db_table, model._meta.get_field("subject").related_model._meta.db_table
    kept = "subject_id, path, kind, value, source, note, evidence_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f'CREATE TEMP TABLE facts_given AS SELECT subject_id, path, kind, value, source FROM "{table}" WITH NO DATA'
        )
        with cursor.copy("COPY facts_given (subject_id, path, kind, value, source) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f'SELECT count(*) FROM (SELECT 1 FROM "{subjects}" WHERE id IN (SELECT subject_id FROM facts_given) '
            "ORDER BY id FOR NO KEY UPDATE) locked"
        )
        cursor.execute(
            f'CREATE TEMP TABLE facts_over AS SELECT f.* FROM "{table}" f JOIN facts_given g USING (subject_id, kind) '
            "WHERE f.superseded_at IS NULL AND (f.valid_to IS NULL OR f.valid_to > %s)",
            [valid_from],
        )
        cursor.execute(f'UPDATE "{table}" f SET superseded_at = %s FROM facts_over o WHERE f.id = o.id', [now])
        cursor.execute(
            f'INSERT INTO "{table}" ({kept}, valid_from, valid_to, recorded_at) '
            f"SELECT {kept}, valid_from, %s, %s FROM facts_over WHERE valid_from < %s",
            [valid_from, now, valid_from],
        )
        cursor.execute(
            f'INSERT INTO "{table}" (subject_id, path, kind, value, source, note, evidence_id, valid_from, recorded_at) '
            "SELECT subject_id, path, kind, value, source, %s, %s, %s, %s FROM facts_given WHERE value IS NOT NULL",
            [note, evidence_id, valid_from, now],
        )
        begun = cursor.rowcount
        cursor.execute("DROP TABLE facts_given, facts_over")
    return begun


def take_back_many(
    model: type[DatedFact], kind: str, at: dict[int, datetime], *, now: datetime | None = None
) -> set[int]:
    """Undo what was stated of ``kind`` at the moment ``at`` (subject id → moment): what it had replaced holds again.

    Answers the subjects for whom it was undone. A subject about whom something of the kind was said since is left alone:
    later knowledge is not overwritten. Nothing is deleted, what is taken back stays as known then.
    """
    now, table = now or timezone.now(), model._meta.db_table
    subjects = model._meta.get_field("subject").related_model._meta.db_table
    given = {"kind": kind, "now": now, "ids": list(at), "moments": list(at.values())}
    unnested = "unnest(%(ids)s::bigint[], %(moments)s::timestamptz[]) g(subject_id, moment)"
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT count(*) FROM (SELECT 1 FROM "{subjects}" WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE) locked',
            given,
        )
        cursor.execute(
            f'CREATE TEMP TABLE facts_back AS SELECT g.* FROM {unnested} WHERE NOT EXISTS (SELECT 1 FROM "{table}" f '
            "WHERE f.subject_id = g.subject_id AND f.kind = %(kind)s "
            "AND (f.recorded_at > g.moment OR f.superseded_at > g.moment))",
            given,
        )
        cursor.execute(
            f'UPDATE "{table}" f SET superseded_at = %(now)s FROM facts_back g WHERE f.subject_id = g.subject_id '
            "AND f.kind = %(kind)s AND f.recorded_at = g.moment AND f.superseded_at IS NULL",
            given,
        )
        kept = "subject_id, path, kind, value, source, note, evidence_id, valid_from, valid_to"
        cursor.execute(
            f'INSERT INTO "{table}" ({kept}, recorded_at) SELECT {", ".join("f." + c.strip() for c in kept.split(","))}, '
            f'%(now)s FROM "{table}" f JOIN facts_back g USING (subject_id) '
            "WHERE f.kind = %(kind)s AND f.superseded_at = g.moment AND f.recorded_at < g.moment",
            given,
        )
        cursor.execute("SELECT subject_id FROM facts_back")
        done = {pk for (pk,) in cursor.fetchall()}
        cursor.execute("DROP TABLE facts_back")
    return done
