"""A drawn sample of an outside body's results, to be assessed again by others (R-033)."""

import math
import random
from datetime import date, datetime

from django.db import transaction
from django.db.utils import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.services import service

from ..enums import Reason, State
from ..models import Assessment, Commission, SampleDraw
from .applying import open_new


@service("assessments.commission")
def draw_sample(
    *, actor: Actor, commission_id: int, since: date, until: date, seed: str = "", now: datetime | None = None
) -> SampleDraw:
    """Draw the commission's percentage (at least one) of its results decided in [since, until), and open an assessment for
    each. The same seed and rows give the same draw.

    Raises NotVisible, Invalid, Refused ("assessments.drawn", "assessments.none").
    """
    now = now or timezone.now()
    commission = Commission.objects.select_for_update(of=("self",)).filter(pk=commission_id).first()
    if commission is None:
        raise NotVisible
    if until <= since:
        raise Invalid({"until": [_("The end must be after the start.")]})
    rows = Assessment.objects.filter(
        commission=commission, state=State.DECIDED, person__died_on__isnull=True,
        decided_at__gte=_midnight(since), decided_at__lt=_midnight(until),
    )  # fmt: skip
    ids = sorted(rows.exclude(reason=Reason.SAMPLE).values_list("pk", flat=True))
    if not ids:
        raise Refused(_("The body decided nothing in this time."), code="assessments.none")
    seed = seed.strip() or f"{commission.pk}-{since}-{until}"
    drawn = sorted(random.Random(seed).sample(ids, math.ceil(len(ids) * commission.sample_percent / 100)))
    try:
        with transaction.atomic():
            made = SampleDraw.objects.create(
                path=commission.path, commission=commission, since=since, until=until, seed=seed,
                percent=commission.sample_percent, population=len(ids), drawn=drawn, drawn_at=now, actor=actor.name,
            )  # fmt: skip
    except IntegrityError as error:
        if "sample_once" in str(error):
            raise Refused(_("The sample of this time was drawn already."), code="assessments.drawn") from None
        raise
    for original in Assessment.objects.filter(pk__in=drawn).select_related("version").order_by("pk"):
        open_new(actor, original.person_id, original.version.code, Reason.SAMPLE, previous=original, now=now)
    return made


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))
