"""H02: pendants, canes and lockets with text frames ``*HQ,…#`` and binary frames ``$…`` on one connection (devices.md §2).

Cutting, replies, commands. Contents: ``h02_text`` and ``h02_binary``. Sources: devices.md §2; frames of the Traccar project's tests.
"""

import re
from datetime import UTC, datetime

from . import h02_binary, h02_text
from .commands import Command, Encoded, NotEncodable, ReportInterval, Target, one
from .interface import Collector, Options, StreamDecoder, register

_TEXT_START = re.compile(rb"\*[A-Za-z]{2},")
_TEXT_PART = re.compile(rb"\*(?:[A-Za-z]{0,2})")
_START = re.compile(rb"[*$]")
_BINARY = 0x24
LONGEST_TAIL = 16  # a binary frame of 48 bytes has 16 after what we read


class Decoder(StreamDecoder):
    limit = 1024

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._tail = 0  # how many bytes may still belong to the last binary frame

    def _cut(self, at: int) -> tuple[int, int, str]:
        buffer, size = self._buffer, len(self._buffer)
        for start in _START.finditer(buffer, at):
            begin = start.start()
            if buffer[begin] == _BINARY:
                look = h02_binary.looks_like(buffer[begin : begin + h02_binary.SIZE])
                if look is None:
                    return begin, 0, ""
                if look:
                    return begin, begin + h02_binary.SIZE, ""
            elif _TEXT_START.match(buffer, begin):
                end = buffer.find(b"#", begin)
                again = _next_start(buffer, begin + 1, end if end >= 0 else size)
                if again >= 0:
                    return begin, again, "cut_off"
                return begin, end + 1, ""  # 0 when there is no end yet
            elif size - begin <= 3 and _TEXT_PART.fullmatch(buffer, begin):
                return begin, 0, ""
        return size, size, ""

    def _rubbish(self, out: Collector, data: bytes) -> None:
        tail, self._tail = min(self._tail, len(data)), max(0, self._tail - len(data))
        rest = data[tail:].strip(b"\r\n")
        if rest:
            out.skip("rubbish", rest)

    def _frame(self, frame: bytes, out: Collector, received_at: datetime) -> None:
        if frame[0] == _BINARY:
            self._tail = LONGEST_TAIL
            out.messages.append(h02_binary.read(frame, received_at))
        else:
            self._tail = 0
            out.messages.append(h02_text.read(frame, received_at))


def _next_start(buffer: bytearray, start: int, end: int) -> int:
    """Where in an unfinished text frame another frame begins; -1: nowhere."""
    for found in _START.finditer(buffer, start, end):
        begin = found.start()
        if _TEXT_START.match(buffer, begin) or (
            buffer[begin] == _BINARY and h02_binary.looks_like(buffer[begin : begin + h02_binary.SIZE])
        ):
            return begin
    return -1


class H02:
    name = "h02"
    topics = ()
    urgent = None  # alarms are bits of every frame

    def decoder(self, options: Options = Options()) -> Decoder:
        return Decoder(options)

    def encode(self, command: Command, target: Target, now: datetime) -> Encoded | NotEncodable:
        """The product's own words (``templates``), with ``{time}`` hhmmss UTC; without one only the interval (S71: general knowledge).
        Confirmed by a V4 with the same word."""
        template = target.templates.get(command.name)
        if template is None and isinstance(command, ReportInterval):
            template = "S71,{time},22,{seconds}"
        if not isinstance(template, str):
            return NotEncodable("unsupported", command.name)
        content = h02_text.filled(template, command, f"{now.astimezone(UTC):%H%M%S}")
        if content is None or not set(content).isdisjoint("*#$\r\n"):
            return NotEncodable("bad_value", template)
        family = target.family if target.family != "3G" else "HQ"
        return one(f"*{family},{target.device},{content}#".encode(), content.partition(",")[0])


CODEC = register(H02())
