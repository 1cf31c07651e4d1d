"""The graph of a device. Nothing else changes ``Device.state``."""

from typing import Any

from django.utils.translation import gettext as _

from sangyu.kernel.errors import Refused
from sangyu.kernel.workflow import Workflow

from .enums import Action as A
from .enums import State as S


def _log():
    from .models import DeviceLog

    return DeviceLog


def _needs_holder(row: Any, **given: Any) -> None:
    if not row.held:
        raise Refused(_("Nobody has this device: put it into stock."), code="devices.nobody")


def _needs_nobody(row: Any, **given: Any) -> None:
    if row.held:
        raise Refused(_("Somebody has this device: end the binding first."), code="devices.held")


EDGES = (
    (A.ALLOT, S.STOCK, S.STOCK),
    (A.ALLOT, S.RETURNED, S.RETURNED),
    (A.ISSUE, S.STOCK, S.ISSUED),
    (A.RETURN, S.ISSUED, S.RETURNED),
    (A.RETURN, S.LOST, S.RETURNED),
    (A.RESTOCK, S.RETURNED, S.STOCK),
    (A.REPAIR, S.STOCK, S.REPAIR),
    (A.REPAIR, S.ISSUED, S.REPAIR),
    (A.REPAIR, S.RETURNED, S.REPAIR),
    (A.REPAIRED, S.REPAIR, S.STOCK),
    (A.GIVE_BACK, S.REPAIR, S.ISSUED),
    (A.GIVE_UP, S.REPAIR, S.REPAIR),
    (A.GIVE_UP, S.LOST, S.LOST),
    (A.LOSE, S.STOCK, S.LOST),
    (A.LOSE, S.ISSUED, S.LOST),
    (A.LOSE, S.RETURNED, S.LOST),
    (A.LOSE, S.REPAIR, S.LOST),
    (A.FIND, S.LOST, S.ISSUED),
    (A.RETIRE, S.STOCK, S.RETIRED),
    (A.RETIRE, S.RETURNED, S.RETIRED),
    (A.RETIRE, S.REPAIR, S.RETIRED),
    (A.RETIRE, S.LOST, S.RETIRED),
)

DEVICE_FLOW = Workflow(
    name="devices",
    edges=EDGES,
    log=_log,
    log_fk="device",
    guards={
        A.REPAIRED: (_needs_nobody,),
        A.GIVE_BACK: (_needs_holder,),
        A.FIND: (_needs_holder,),
        A.GIVE_UP: (_needs_holder,),
        A.RETIRE: (_needs_nobody,),
    },
)
