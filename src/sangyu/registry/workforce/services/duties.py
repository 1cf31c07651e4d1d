"""Duties per post, read and acknowledged before access (R-158)."""

from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.services import service

from ..enums import Post
from ..models import Acknowledgement, Duty, Worker
from ._shared import check_word


@service("workforce.duties")
def publish_duty(*, actor: Actor, region: Any, post: str, title: str, text: str, valid_from: date) -> Duty:
    """Publish the duties of a post from ``valid_from`` on; the version before ends there. Workers must read the new one."""
    require_responsible(actor, region.path)
    check_word("post", post, Post)
    if not title.strip() or not text.strip():
        raise Invalid({"text": [_("Give title and text.")]})
    latest = Duty.objects.select_for_update().filter(path=region.path, post=post).order_by("-valid_from").first()
    if latest is not None and (latest.valid_to is None or latest.valid_to > valid_from):
        if latest.valid_from >= valid_from:
            raise Refused(
                _("A version already begins on %(day)s. Choose a later day.") % {"day": latest.valid_from.isoformat()},
                code="workforce.version_exists",
            )
        latest.valid_to = valid_from
        latest.save(update_fields=["valid_to"])
    return Duty.objects.create(
        region=region, path=region.path, post=post, title=title, text=text, valid_from=valid_from
    )


@service("workforce.acknowledge")
def acknowledge(*, actor: Actor, duty_id: int, now: datetime | None = None) -> Acknowledgement:
    """The signed-in worker says that it has read one version of its duties. Safe to repeat."""
    worker = Worker.objects.filter(pk=actor.subject_id).first() if actor.audience is Audience.WORKER else None
    duty = Duty.objects.filter(pk=duty_id).first()
    if worker is None or duty is None or duty.post != worker.post or not worker.path.startswith(duty.path):
        raise NotVisible
    return Acknowledgement.objects.get_or_create(worker=worker, duty=duty, defaults={"at": now or timezone.now()})[0]
