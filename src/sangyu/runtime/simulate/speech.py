"""How a simulated device speaks: frames of what its wearer does, the answers it waits for, how it confirms commands (devices.md §1 – §3).

Written from the protocol's side of the device; the gateway's codecs are not used, so that both check each other.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta

from sangyu.engines.codecs.checksums import x25

from .life import Body


@dataclass(frozen=True, slots=True)
class Frame:
    """``key``: the answer that must come ("" = this protocol does not answer it); ``alarm``: sent again until it does."""

    data: bytes
    key: str = ""
    alarm: bool = False


class Speech(ABC):
    """One device's words. ``clock``: what is added to the true time by a clock that is wrong."""

    protocol = ""
    #: Must the sign-in be answered before anything else is sent?
    login_first = True

    def __init__(self, identity: str, clock: timedelta = timedelta()) -> None:
        self.identity, self.clock, self.count = identity, clock, 0
        self._rest = b""

    @abstractmethod
    def login(self, now: datetime) -> Frame: ...

    @abstractmethod
    def heartbeat(self, body: Body, now: datetime) -> Frame: ...

    @abstractmethod
    def report(self, body: Body, now: datetime) -> Frame: ...

    def vitals(self, body: Body, now: datetime) -> Frame:
        return self.report(body, now)

    @abstractmethod
    def alarm(self, body: Body, now: datetime, kind: str = "sos") -> Frame: ...

    @abstractmethod
    def hear(self, data: bytes) -> tuple[list[str], list[bytes]]:
        """Keys of answers in what came, and what is to be said to commands in it."""


class Watch(Speech):
    protocol = "watch"
    _frame = re.compile(rb"\[(\w\w)\*(\d+)\*([0-9A-Fa-f]{4})\*([^\]]*)\]")
    BITS = {"sos": 16, "low_battery": 17, "removed": 20, "fall": 21}

    def say(self, content: str) -> bytes:
        data = content.encode()
        return b"[3G*%s*%04X*%s]" % (self.identity.encode(), len(data), data)

    def login(self, now):
        return Frame(self.say("LK"), "LK")

    def heartbeat(self, body, now):
        return Frame(self.say(f"LK,{body.steps},0,{body.battery}"), "LK")

    def report(self, body, now):
        return Frame(self._place("UD", body, now, 0))

    def alarm(self, body, now, kind="sos"):
        return Frame(self._place("AL", body, now, 1 << self.BITS[kind]), "AL", True)

    def vitals(self, body, now):
        self.count += 1
        match self.count % 4:
            case 0:
                return Frame(self.say(f"bphrt,{body.systolic},{body.diastolic},{body.heart},,,,"), "bphrt")
            case 1:
                return Frame(self.say(f"heart,{body.heart}"), "heart")
            case 2:
                return Frame(self.say(f"oxygen,0,{body.spo2}"), "oxygen")
        return Frame(self.say(f"btemp2,1,{body.temperature}"), "btemp2")

    def _place(self, word: str, body: Body, now: datetime, status: int) -> bytes:
        then = now + self.clock
        self.count += 1
        latitude = body.latitude + self.count % 1000 * 1e-6  # a receiver trembles, so no two reports are equal
        return self.say(
            f"{word},{then:%d%m%y,%H%M%S},A,{latitude:.6f},N,{body.longitude:.6f},E,{body.speed:.2f},0.0,0.0,9,80,"
            f"{body.battery},{body.steps},0,{status | (16 if body.walking else 0) | 8:08X},1,0,460,00,9763,4021,130"
        )

    def hear(self, data):
        self._rest += data
        keys, said, end = [], [], 0
        for found in self._frame.finditer(self._rest):
            end = found.end()
            word = found[4].partition(b",")[0].decode("latin-1")
            if word in ("LK", "AL", "heart", "bphrt", "btemp2", "oxygen"):
                keys.append(word)
            else:
                said.append(self.say(word))
        self._rest = self._rest[end:][-4096:]
        return keys, said


class H02(Speech):
    protocol = "h02"
    login_first = False
    BITS = {"sos": 1, "power_cut": 19, "vibration": 0}

    def login(self, now):
        return Frame(f"*HQ,{self.identity},V0,80#".encode(), "V0")

    def heartbeat(self, body, now):
        return Frame(f"*HQ,{self.identity},HTBT,{body.battery}#".encode(), "HTBT")

    def report(self, body, now):
        return Frame(self._v1(body, now, 0xFFFFFFFF), "V1")

    def alarm(self, body, now, kind="sos"):
        return Frame(self._v1(body, now, 0xFFFFFFFF & ~(1 << self.BITS[kind])), "V1", True)

    def _v1(self, body: Body, now: datetime, status: int) -> bytes:
        then = now + self.clock
        self.count += 1
        latitude = body.latitude + self.count % 1000 * 1e-6
        return (
            f"*HQ,{self.identity},V1,{then:%H%M%S},A,{_minutes(latitude, 2)},N,{_minutes(body.longitude, 3)},E,"
            f"{body.speed / 1.852:.2f},000,{then:%d%m%y},{status:08X}#"
        ).encode()

    def hear(self, data):
        self._rest += data
        *frames, self._rest = self._rest.split(b"#")
        self._rest = self._rest[-4096:]
        keys, said = [], []
        for frame in frames:
            words = frame.decode("latin-1").split(",")
            if len(words) > 3 and words[2] == "V4":
                keys.append(words[3])
            elif len(words) > 2 and words[2] in ("V0", "HTBT"):
                keys.append(words[2])
            elif len(words) > 2:
                said.append(
                    f"*HQ,{self.identity},V4,{words[2]},000000,000000,V,0000.0000,N,00000.0000,E,0,0,010100,FFFFFFFF#".encode()
                )
        return keys, said


class GT06(Speech):
    protocol = "gt06"
    CODES = {"sos": 1, "power_cut": 2, "fall": 0x23, "low_battery": 0x0E}

    def say(self, kind: int, content: bytes) -> Frame:
        self.count = self.count % 0xFFFF + 1
        body = bytes([len(content) + 5, kind]) + content + self.count.to_bytes(2)
        return Frame(b"xx" + body + x25(body).to_bytes(2) + b"\r\n", f"{kind:02x}.{self.count}", kind == 0x26)

    def login(self, now):
        return self.say(0x01, bytes.fromhex(self.identity.zfill(16)))

    def heartbeat(self, body, now):
        return self.say(0x13, bytes([0x46, max(1, body.battery * 6 // 100), 4, 0, 2]))

    def report(self, body, now):
        return self.say(0x12, self._place(body, now) + _CELL)

    def alarm(self, body, now, kind="sos"):
        rest = bytes([len(_CELL) + 1]) + _CELL + bytes([0x46, 4, 4, self.CODES[kind], 2])
        return self.say(0x26, self._place(body, now) + rest)

    def _place(self, body: Body, now: datetime) -> bytes:
        then = now + self.clock
        moment = bytes([then.year % 100, then.month, then.day, then.hour, then.minute, then.second])
        latitude = body.latitude + self.count % 1000 * 1e-6
        degrees = (round(v * 1_800_000).to_bytes(4) for v in (latitude, body.longitude))
        return moment + b"\xc9" + b"".join(degrees) + bytes([min(255, round(body.speed))]) + (0x1400).to_bytes(2)

    def hear(self, data):
        self._rest += data
        keys, said = [], []
        while (at := self._rest.find(b"xx")) >= 0 and len(self._rest) >= at + 3:
            end = at + 5 + self._rest[at + 2]
            if len(self._rest) < end:
                break
            frame, self._rest = self._rest[at:end], self._rest[end:]
            kind, serial = frame[3], int.from_bytes(frame[-6:-4])
            if kind == 0x80:
                flag = frame[5:9]
                said.append(self.say(0x15, bytes([6]) + flag + b"OK" + (2).to_bytes(2)).data)
            else:
                keys.append(f"{kind:02x}.{serial}")
        return keys, said


_CELL = (460).to_bytes(2) + b"\x00" + (9763).to_bytes(2) + (4021).to_bytes(3)


def _minutes(degrees: float, digits: int) -> str:
    """DDMM.mmmm of a northern or eastern coordinate."""
    whole = int(degrees)
    minutes = round((degrees - whole) * 60, 4)
    if minutes >= 60:
        whole, minutes = whole + 1, 0.0
    return f"{whole:0{digits}d}{minutes:07.4f}"


SPEECHES: dict[str, type[Speech]] = {s.protocol: s for s in (Watch, H02, GT06)}
