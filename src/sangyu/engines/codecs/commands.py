"""Downlink commands as values, what encoding them gives, and the condition on listening in (devices.md §1 "Down")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time

from .messages import Outgoing


@dataclass(frozen=True, slots=True)
class LocateNow:
    name = "locate_now"


@dataclass(frozen=True, slots=True)
class ReportInterval:
    """How often the device reports its place; ``seconds`` 60 to 65,535."""

    seconds: int
    name = "report_interval"


@dataclass(frozen=True, slots=True)
class SosNumbers:
    """Numbers called by the SOS button, in this order; one to three."""

    numbers: tuple[str, ...]
    name = "sos_numbers"


@dataclass(frozen=True, slots=True)
class Call:
    """The device calls ``number`` and rings there; the person hears it."""

    number: str
    name = "call"


@dataclass(frozen=True, slots=True)
class Ring:
    """The device rings, to be found."""

    name = "ring"


@dataclass(frozen=True, slots=True)
class ShowMessage:
    text: str
    name = "show_message"


@dataclass(frozen=True, slots=True)
class PlayVoice:
    """A recording (AMR) that the device plays."""

    audio: bytes
    name = "play_voice"


@dataclass(frozen=True, slots=True)
class Reminder:
    """Medicine or alarm clock. ``days``: Monday = 0 … Sunday = 6; empty = once."""

    at: time
    days: frozenset[int] = frozenset()
    on: bool = True
    name = "reminder"


@dataclass(frozen=True, slots=True)
class MeasureHeartRate:
    """``seconds`` 0 stops, 1 measures once, 300 and more measures at this interval."""

    seconds: int = 1
    name = "measure_heart_rate"


@dataclass(frozen=True, slots=True)
class SetTimeZone:
    """``hours`` east of UTC, with minutes as a fraction (5.75)."""

    hours: float
    name = "set_time_zone"


@dataclass(frozen=True, slots=True)
class Restart:
    name = "restart"


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Why somebody may listen in: the consent on record, who asks in which role, the reason, until when."""

    consent: str
    role: str
    reason: str
    requested_by: str
    until: datetime

    def covers(self, now: datetime) -> bool:
        words = (self.consent, self.role, self.reason, self.requested_by)
        return all(isinstance(w, str) and w.strip() for w in words) and now <= self.until


@dataclass(frozen=True, slots=True)
class ListenIn:
    """The device calls ``number`` silently. Off by default; cannot be made without an authorisation (devices.md §1)."""

    number: str
    authorisation: Authorisation
    name = "listen_in"


Command = (
    LocateNow | ReportInterval | SosNumbers | Call | Ring | ShowMessage | PlayVoice | Reminder | MeasureHeartRate
    | SetTimeZone | Restart | ListenIn
)  # fmt: skip
COMMANDS: tuple[type, ...] = Command.__args__
NAMES = frozenset(c.name for c in COMMANDS)


@dataclass(frozen=True, slots=True)
class Target:
    """The device that is spoken to. ``family``: the two letters of a watch. ``sequence`` numbers our commands to it. ``place``: where in
    the topics (organisation; product key). ``templates``: the product's words for commands. ``allowed``: the product's commands; None = all
    but listening in."""

    device: str
    family: str = "3G"
    sequence: int = 1
    place: str = ""
    templates: Mapping[str, object] = field(default_factory=dict)
    allowed: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Send this; it is done when a message ``confirms`` this word ("" = the protocol never confirms)."""

    outgoing: Outgoing
    confirmation: str = ""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Steps in order, one in flight at a time; each fails after ``timeout_seconds``."""

    steps: tuple[Step, ...]
    timeout_seconds: int = 30


@dataclass(frozen=True, slots=True)
class NotEncodable:
    """Nothing is sent. ``reason``: unsupported, not_allowed, not_authorised, bad_value."""

    reason: str
    detail: str = ""


def one(payload: bytes, confirmation: str = "", topic: str = "") -> Encoded:
    return Encoded((Step(Outgoing(payload, topic), confirmation),))


def parameters(command: Command) -> dict[str, object]:
    """The values of a command under plain names, for templates and for dialects that take names and values."""
    match command:
        case ReportInterval() | MeasureHeartRate():
            return {"seconds": command.seconds}
        case SosNumbers():
            return {"numbers": list(command.numbers)}
        case Call() | ListenIn():
            return {"number": command.number}
        case ShowMessage():
            return {"text": command.text}
        case Reminder():
            return {"at": command.at.strftime("%H:%M"), "days": sorted(command.days), "on": command.on}
        case SetTimeZone():
            return {"hours": command.hours}
    return {}


def mistake(command: Command) -> str:
    """What is wrong with the values; "" if nothing. Text that could end a frame early or smuggle a second command is refused."""
    match command:
        case ReportInterval(seconds) if type(seconds) is not int or not 60 <= seconds <= 65_535:
            return "an interval is 60 to 65535 seconds"
        case MeasureHeartRate(seconds) if type(seconds) is not int or not (
            seconds in (0, 1) or 300 <= seconds <= 65_535
        ):
            return "0 stops, 1 measures once, 300 to 65535 is an interval in seconds"
        case SosNumbers(numbers) if not 1 <= len(numbers) <= 3 or not all(_is_number(n) for n in numbers):
            return "one to three telephone numbers of 3 to 20 digits"
        case Call(number) | ListenIn(number) if not _is_number(number):
            return "a telephone number has 3 to 20 digits"
        case ShowMessage(text) if not 1 <= len(text) <= 200:
            return "a message has 1 to 200 characters"
        case PlayVoice(audio) if not 1 <= len(audio) <= 30_000:
            return "a recording has 1 to 30000 bytes"
        case Reminder(_, days) if not days <= frozenset(range(7)):
            return "days are 0 (Monday) to 6 (Sunday)"
        case SetTimeZone(hours) if not -12 <= hours <= 14:
            return "a zone is between -12 and 14 hours"
    return ""


def _is_number(text: str) -> bool:
    digits = text[1:] if text.startswith("+") else text
    return 3 <= len(digits) <= 20 and digits.isascii() and digits.isdigit()
