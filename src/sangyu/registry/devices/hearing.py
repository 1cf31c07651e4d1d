"""When devices were last heard, and their batteries: copies for lists, told by the room that receives signals. Imported through ``services``."""

from collections.abc import Iterable
from datetime import datetime

from sangyu.kernel.actor import Actor
from sangyu.kernel.bulk import update_rows

from .models import Device


def heard(*, actor: Actor, rows: Iterable[tuple[int, datetime, int | None]]) -> int:
    """Write (device, last heard, battery or None = unchanged) of many devices in one statement. In the caller's scope (a job's)."""
    return update_rows(Device, ("id", "last_seen_at", "battery"), rows)
