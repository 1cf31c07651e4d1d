"""Codes in SIA DC-09 blocks: SIA (``Nri1/QA12``) and Contact-ID (``1130 01 015``) → alarms and states (devices.md §6)."""

import re
from dataclasses import dataclass, field

from .kinds import AlarmKind, MessageKind
from .messages import Alarm, gravest_first

SIA = {
    "QA": AlarmKind.SOS,
    "MA": AlarmKind.MEDICAL,
    "PA": AlarmKind.PANIC,
    "FA": AlarmKind.FIRE,
    "GA": AlarmKind.GAS,
    "WA": AlarmKind.FLOOD,
    "TA": AlarmKind.TAMPER,
    "YT": AlarmKind.LOW_BATTERY,
    "AT": AlarmKind.POWER_CUT,
    "RP": AlarmKind.TEST,
}
SIA_RESTORED = {"YR": "low_battery", "AR": "power_cut"}
CONTACT_ID = {
    100: AlarmKind.MEDICAL,
    101: AlarmKind.SOS,
    102: AlarmKind.NO_RESPONSE,
    110: AlarmKind.FIRE,
    111: AlarmKind.SMOKE,
    151: AlarmKind.GAS,
    154: AlarmKind.FLOOD,
    301: AlarmKind.POWER_CUT,
    302: AlarmKind.LOW_BATTERY,
    602: AlarmKind.TEST,
}
NEW, RESTORED = "1", "3"
# SIA codes that end or open and close; they raise nothing.
_QUIET = re.compile(r"[A-Z][RHJ]|OP|CL|CP|OA|CA")
_SIA = re.compile(r"N?((?:(?:ti|id|ri|pi|ai|ph)[^/]*/)*)([A-Z]{2})([0-9A-Fa-f]{0,6})")
_AREA = re.compile(r"ri([^/]*)")
_CID = re.compile(r"\s*(\d)(\d{3})[ ]?([0-9A-Fa-f]{2})[ ]?([0-9A-Fa-f]{3})")


@dataclass(frozen=True)
class Event:
    kind: MessageKind
    alarms: tuple[Alarm, ...] = ()
    states: dict[str, bool] = field(default_factory=dict)
    details: dict[str, object] = field(default_factory=dict)


def event(kind: str, content: str) -> Event | None:
    """What ``content`` says; None when it cannot be read (the answer is then DUH)."""
    if kind == "NULL":
        return Event(MessageKind.HEARTBEAT)
    content = content.partition("]")[0]
    return _sia(content) if kind == "SIA-DCS" else _contact_id(content)


def _sia(content: str) -> Event | None:
    found = _SIA.match(content)
    if not found:
        return None
    code, zone, area = found[2], found[3], _AREA.search(found[1])
    details = {"code": code, "zone": zone, "area": area[1] if area else ""}
    if code in SIA_RESTORED:
        return Event(MessageKind.STATUS, states={SIA_RESTORED[code]: False}, details=details)
    if code not in SIA and _QUIET.fullmatch(code):
        over = SIA.get(f"{code[0]}A") if code[1] in "RH" else None  # QR, MH …: what QA, MA … said is over
        return Event(MessageKind.STATUS, states={str(over): False} if over else {}, details=details)
    alarm = Alarm.of(SIA.get(code, AlarmKind.UNKNOWN), code)
    return Event(MessageKind.ALARM, gravest_first([alarm]), details=details)


def _contact_id(content: str) -> Event | None:
    found = _CID.match(content)
    if not found:
        return None
    qualifier, code = found[1], int(found[2])
    details = {"code": found[2], "qualifier": qualifier, "area": found[3], "zone": found[4]}
    kind = CONTACT_ID.get(code)
    if qualifier == RESTORED:
        return Event(MessageKind.STATUS, states={str(kind): False} if kind else {}, details=details)
    if qualifier != NEW:
        return Event(MessageKind.STATUS, details=details)
    return Event(MessageKind.ALARM, (Alarm.of(kind or AlarmKind.UNKNOWN, found[2]),), details=details)
