"""What the intake hands to the room of emergencies."""

from dataclasses import dataclass
from datetime import datetime

from sangyu.engines.codecs.kinds import AlarmKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alarm that was raised, or (``repeat``) came again while it was open. ``at``: by the device's clock where that can be used.

    Without ``alarm_id`` no device said it. The place is the one of the message, else the last known; ``placed_at`` says how old
    it is. ``late``: buffered by the device.
    """

    path: str
    kind: AlarmKind | str
    level: int
    at: datetime
    received_at: datetime
    alarm_id: int | None = None
    device_id: int | None = None
    product: str = ""
    person_id: int | None = None
    facility_id: int | None = None
    room: str = ""
    bed: str = ""
    rule: str = ""
    late: bool = False
    drill: bool = False
    latitude: float | None = None
    longitude: float | None = None
    placed_at: datetime | None = None
    accuracy: float | None = None
    text: str = ""
    repeat: bool = False
