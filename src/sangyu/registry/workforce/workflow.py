"""Graph of an engagement."""

from django.utils.translation import gettext as _

from sangyu.kernel.errors import Refused
from sangyu.kernel.workflow import Workflow

from .enums import Action, State
from .models import Worker, WorkerLog


def _has_reason(row: Worker, *, reason: str, **kwargs) -> None:
    if not reason.strip():
        raise Refused(_("Give the reason."), code="workforce.reason")


ENGAGEMENT = Workflow(
    name="workforce",
    edges=(
        (Action.ADMIT, State.CANDIDATE, State.ACTIVE),
        (Action.SUSPEND, State.ACTIVE, State.SUSPENDED),
        (Action.RESUME, State.SUSPENDED, State.ACTIVE),
        (Action.LEAVE, State.CANDIDATE, State.LEFT),
        (Action.LEAVE, State.ACTIVE, State.LEFT),
        (Action.LEAVE, State.SUSPENDED, State.LEFT),
    ),
    log=lambda: WorkerLog,
    log_fk="worker",
    stamps={State.LEFT: "left_at"},
    guards={Action.SUSPEND: (_has_reason,), Action.LEAVE: (_has_reason,)},
)
