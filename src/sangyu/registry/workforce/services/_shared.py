from django.db import connection
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.publishing import require_responsible

from ..enums import State
from ..models import Worker


def own_worker(actor: Actor, pk: int) -> Worker:
    """The locked row that ``actor`` sees and answers for. Raises NotVisible, Refused("scope.above"), Refused once left."""
    row = Worker.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        raise NotVisible
    require_responsible(actor, row.path)
    if row.state == State.LEFT:
        raise Refused(_("The worker has left; the file is closed."), code="workforce.left")
    return row


def check_word(name: str, value: str, words) -> None:
    """Raises Invalid when ``value`` is none of the choices ``words``."""
    if value not in words.values:
        raise Invalid({name: [_("Choose one of: %(words)s") % {"words": ", ".join(words.values)}]})


def share_employer(worker: Worker, previous_id: int | None = None) -> None:
    """Let the worker see its organisation (models.Organisation.scope), and no more the previous one."""
    with connection.cursor() as cursor:
        if previous_id is not None:
            cursor.execute(
                "SELECT sangyu.unshare('worker', %s, 'organisation', %s, 'transfer')", [worker.pk, previous_id]
            )
        cursor.execute(
            "SELECT sangyu.share('worker', %s, 'organisation', %s, %s, NULL, 'employer')",
            [worker.pk, worker.organisation_id, worker.path],
        )


def unshare_employer(worker: Worker) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sangyu.unshare('worker', %s, 'organisation', %s, 'left')", [worker.pk, worker.organisation_id]
        )
