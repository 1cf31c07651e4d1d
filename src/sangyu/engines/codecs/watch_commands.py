"""Commands to watches, with the words by which they confirm (devices.md §1 "Down")."""

from .commands import (
    Call,
    Command,
    Encoded,
    ListenIn,
    LocateNow,
    MeasureHeartRate,
    NotEncodable,
    PlayVoice,
    Reminder,
    ReportInterval,
    Restart,
    Ring,
    SetTimeZone,
    ShowMessage,
    SosNumbers,
    Step,
    Target,
)
from .messages import Outgoing
from .watch_content import escape, frame, hours

WITH_SERIAL = frozenset({"ZJ"})


def encode(command: Command, target: Target) -> Encoded | NotEncodable:
    contents = _contents(command, target)
    if contents is None:
        return NotEncodable("unsupported", command.name)
    steps = []
    for count, content in enumerate(contents):
        serial = f"{(target.sequence + count) & 0xFFFF:04x}" if target.family in WITH_SERIAL else ""
        word = content.partition(b",")[0].decode()
        steps.append(Step(Outgoing(frame(target.family, target.device, serial, content)), word))
    return Encoded(tuple(steps))


def _contents(command: Command, target: Target) -> list[bytes] | None:
    match command:
        case LocateNow():
            return [b"CR"]
        case ReportInterval(seconds):
            return [f"UPLOAD,{seconds}".encode()]
        case SosNumbers(numbers):
            return [f"SOS{slot},{number}".encode() for slot, number in enumerate(numbers, 1)]
        case Call(number):
            return [f"CALL,{number}".encode()]
        case ListenIn(number):
            return [f"MONITOR,{number}".encode()]
        case Ring():
            return [b"FIND"]
        case ShowMessage(text):
            return [b"MESSAGE," + text.encode("utf-16-be", "replace").hex().encode()]
        case PlayVoice(audio):
            return [b"TK," + escape(audio)]
        case Reminder():
            return [f"REMIND,{_reminder(command)}".encode()]
        case MeasureHeartRate(seconds):
            return [f"hrtstart,{seconds}".encode()]
        case SetTimeZone(zone):
            return [f"LZ,,{hours(zone)}".encode()]
        case Restart():
            return [b"RESET"]
    return None


def _reminder(command: Reminder) -> str:
    """``hh:mm-on-frequency``: 1 once, 2 daily, 3 on the days that follow, Sunday first (the order of days: general knowledge)."""
    head = f"{command.at:%H:%M}-{int(command.on)}"
    if not command.days:
        return f"{head}-1"
    if len(command.days) == 7:
        return f"{head}-2"
    return f"{head}-3-" + "".join(str(int((day - 1) % 7 in command.days)) for day in range(7))
