"""Watches with frames ``[3G*id*len*content]``: cutting the stream and answering (devices.md §1). Contents: ``watch_content``; commands: ``watch_commands``.

Sources: devices.md §1; frames of the Traccar project's tests (Apache-2.0) in tests/data/device-frames.
"""

import re
from datetime import datetime

from . import watch_commands, watch_content
from .commands import Command, Encoded, NotEncodable, Target
from .interface import CHUNK, Collector, Options, StreamDecoder, register
from .messages import Batch, Message

_HEADER = re.compile(rb"\[([0-9A-Za-z]{2})\*(\d{10,15})\*([0-9A-Fa-f]{4})\*(?:([0-9A-Fa-f]{4})\*)?")
_PART = re.compile(rb"\[(?:[0-9A-Za-z]{0,2}|[0-9A-Za-z]{2}\*\d{0,15}|[0-9A-Za-z]{2}\*\d{10,15}\*[0-9A-Fa-f]{0,4})")
_LONGEST_PART = 24
_BRACKET = re.compile(rb"[\[\]]")
_OPEN, _CLOSE = 0x5B, 0x5D


class Decoder(StreamDecoder):
    """Cuts by declared length where it agrees with the brackets around it, else by counting brackets."""

    limit = 65_600  # a content has at most FFFF bytes

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._forget()

    def _forget(self) -> None:
        self._seen, self._depth = 0, 0  # brackets are counted up to here, from the frame that is waited for

    def feed(self, data: bytes, *, received_at: datetime, topic: str = "") -> Batch:
        """A piece that is exactly one frame, as nearly all are, needs no buffer."""
        if not self._buffer and len(data) <= CHUNK:
            header = _HEADER.match(data)
            if header and header.end() + int(header[4] or header[3], 16) == len(data) - 1 and data[-1] == _CLOSE:
                return Batch((self._read(data, header, received_at),))
        return super().feed(data, received_at=received_at, topic=topic)

    def _moved(self, by: int) -> None:
        self._seen = max(0, self._seen - by)

    def _cut(self, at: int) -> tuple[int, int, str]:
        buffer = self._buffer
        begin = buffer.find(b"[", at)
        while begin >= 0:
            header = _HEADER.match(buffer, begin)
            if header:
                return self._end(begin, header)
            if _is_part(buffer, begin):
                return begin, 0, ""
            begin = buffer.find(b"[", begin + 1)
        return len(buffer), len(buffer), ""

    def _end(self, begin: int, header: re.Match) -> tuple[int, int, str]:
        buffer, size = self._buffer, len(self._buffer)
        end = header.end() + int(header[4] or header[3], 16)
        if end < size and buffer[end] == _CLOSE and (end + 1 == size or buffer[end + 1] == _OPEN):
            self._forget()
            return begin, end + 1, ""
        if self._seen <= begin:
            self._seen, self._depth = begin + 1, 1
        for bracket in _BRACKET.finditer(buffer, self._seen):
            place = bracket.start()
            if buffer[place] == _CLOSE:
                self._depth -= 1
                if not self._depth:
                    self._forget()
                    return begin, place + 1, ""
            elif _HEADER.match(buffer, place):  # the next frame begins: this one is broken
                self._forget()
                return begin, place, "" if buffer[place - 1] == _CLOSE else "cut_off"
            elif _is_part(buffer, place):
                self._seen = place
                return begin, 0, ""
            else:
                self._depth += 1
        self._seen = size
        return begin, 0, ""

    def _frame(self, frame: bytes, out: Collector, received_at: datetime) -> None:
        out.messages.append(self._read(frame, _HEADER.match(frame), received_at))

    def _read(self, frame: bytes, header: re.Match, received_at: datetime) -> Message:
        family, device, first, second = header.groups()
        return watch_content.read(
            frame, family.decode(), device.decode(), first.decode() if second else "", frame[header.end() : -1], received_at, self.options
        )  # fmt: skip


def _is_part(buffer: bytearray, begin: int) -> bool:
    """May the end of the buffer become a header?"""
    return len(buffer) - begin <= _LONGEST_PART and _PART.fullmatch(buffer, begin) is not None


class Watch:
    name = "watch"
    topics = ()
    urgent = re.compile(rb"\*AL")

    def decoder(self, options: Options = Options()) -> Decoder:
        return Decoder(options)

    def encode(self, command: Command, target: Target, now: datetime) -> Encoded | NotEncodable:
        return watch_commands.encode(command, target)


CODEC = register(Watch())
