"""What the intake hands to the room of emergencies."""

from dataclasses import dataclass
from datetime import datetime

from sangyu.engines.codecs.kinds import AlarmKind


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm that was raised, or (``repeat``) came again while it was open. ``at``: by the device's clock where that can be used.

    The place is the one of the message, else the last known; ``placed_at`` says how old it is. ``late``: buffered by the device.
    """

    alarm_id: int
    device_id: int | None
    product: str
    person_id: int | None
    facility_id: int | None
    room: str
    bed: str
    path: str
    rule: str
    kind: AlarmKind
    level: int
    at: datetime
    received_at: datetime
    late: bool = False
    drill: bool = False
    latitude: float | None = None
    longitude: float | None = None
    placed_at: datetime | None = None
    accuracy: float | None = None
    text: str = ""
    repeat: bool = False
