"""GT06 / Concox: pendants and canes with frames ``78 78 … 0D 0A`` and the long form ``79 79`` (devices.md §3).

Cutting, replies, commands; contents: ``gt06_content``. Sources: devices.md §3; frames of the Traccar project's tests (Apache-2.0).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from . import gt06_content
from .checksums import x25
from .commands import Command, Encoded, LocateNow, NotEncodable, SosNumbers, Target, one
from .h02_text import filled
from .interface import Collector, Options, StreamDecoder, register

SHORT, LONG, END = b"xx", b"yy", b"\r\n"
LONGEST = 1100  # bytes of a long frame; its length field could claim 64 KiB after one flipped bit
COMMAND = 0x80
_DEFAULTS = {LocateNow.name: "WHERE#", SosNumbers.name: "SOS,A,{numbers}#"}


def frame(kind: int, content: bytes, serial: int) -> bytes:
    """A short frame with its checksum."""
    body = bytes([len(content) + 5, kind]) + content + serial.to_bytes(2)
    return SHORT + body + x25(body).to_bytes(2) + END


class Decoder(StreamDecoder):
    """Remembers who logged in and in which zone the clock is. A frame counts when its end mark and its checksum are right."""

    limit = LONGEST

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.session = gt06_content.Session()

    def _cut(self, at: int) -> tuple[int, int, str]:
        waiting = -1
        for begin in self._starts(at):
            end = self._end(begin)
            if end < 0:
                continue
            if end == 0:
                waiting = begin if waiting < 0 else waiting
                continue
            if self._good(begin, end):
                return (waiting, begin, "cut_off") if waiting >= 0 else (begin, end, "")
            if waiting < 0 and self._buffer[end - 2 : end] == END:
                return begin, begin + 2, "checksum"
        size = len(self._buffer)
        if waiting >= 0:
            return waiting, 0, ""
        keep = size - 1 if size > at and self._buffer[-1] in b"xy" else size
        return keep, 0 if keep < size else size, ""

    def _starts(self, at: int) -> Iterator[int]:
        buffer = self._buffer
        short, long = buffer.find(SHORT, at), buffer.find(LONG, at)
        while short >= 0 or long >= 0:
            if long < 0 or 0 <= short < long:
                yield short
                short = buffer.find(SHORT, short + 1)
            else:
                yield long
                long = buffer.find(LONG, long + 1)

    def _end(self, begin: int) -> int:
        """Where the frame that begins here would end; 0: not all there yet; -1: no frame has this length."""
        buffer, size = self._buffer, len(self._buffer)
        head = 3 if buffer[begin] == SHORT[0] else 4
        if begin + head > size:
            return 0
        length = int.from_bytes(buffer[begin + 2 : begin + head])
        end = begin + head + length + 2
        if length < 5 or end - begin > LONGEST:
            return -1
        return end if end <= size else 0

    def _good(self, begin: int, end: int) -> bool:
        buffer = self._buffer
        if buffer[end - 2 : end] != END:
            return False
        return self.options.lenient or x25(buffer[begin + 2 : end - 4]) == int.from_bytes(buffer[end - 4 : end - 2])

    def _frame(self, frame_bytes: bytes, out: Collector, received_at: datetime) -> None:
        head = 3 if frame_bytes[0] == SHORT[0] else 4
        serial = int.from_bytes(frame_bytes[-6:-4])
        content = frame_bytes[head + 1 : -6]
        out.messages.append(
            gt06_content.read(frame_bytes, frame_bytes[head], content, serial, received_at, self.session, frame)
        )


class GT06:
    name = "gt06"
    topics = ()
    urgent = re.compile(b"xx.[%b]" % re.escape(bytes(gt06_content.ALARMS)), re.DOTALL)

    def decoder(self, options: Options = Options()) -> Decoder:
        return Decoder(options)

    def encode(self, command: Command, target: Target, now: datetime) -> Encoded | NotEncodable:
        """Text of the product (or WHERE#, SOS,A,…#) in a frame 80; confirmed by the answer that repeats our server flag."""
        template = target.templates.get(command.name, _DEFAULTS.get(command.name))
        if not isinstance(template, str):
            return NotEncodable("unsupported", command.name)
        text = filled(template, command, f"{now.astimezone(UTC):%H%M%S}")
        if text is None or not text.isascii() or not text.isprintable() or len(text) > 200:
            return NotEncodable("bad_value", template)
        flag = (target.sequence & 0xFFFFFFFF).to_bytes(4)
        content = bytes([len(text) + 4]) + flag + text.encode()
        return one(frame(COMMAND, content, target.sequence & 0xFFFF), flag.hex())


CODEC = register(GT06())
