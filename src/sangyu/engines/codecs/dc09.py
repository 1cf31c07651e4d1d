"""SIA DC-09: what alarm units and hubs send to a receiver (devices.md §6). ``LF crc 0LLL "ID"seq R… L… #acct[data]_time CR``.

Encrypted frames (ID begins with ``*``): AES-CBC, key 16, 24 or 32 bytes, IV 0; everything after ``[`` is hexadecimal text. An encrypted frame whose
clock is more than 20 s ahead or 40 s behind is answered NAK with our time and makes no message, so that it cannot be replayed.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .checksums import arc
from .commands import Command, Encoded, NotEncodable, Target
from .dc09_events import event
from .interface import Collector, Options, StreamDecoder, register
from .kinds import MessageKind
from .messages import Message, Outgoing, device_time
from .values import moment

LONGEST = 4096 + 16
AHEAD, BEHIND = timedelta(seconds=20), timedelta(seconds=40)
_HEAD = re.compile(rb"\n([0-9A-Fa-f]{4})0([0-9A-Fa-f]{3})(?=\")")
_BODY = re.compile(
    r'"(\*?)([A-Z0-9-]{2,10})"(\d{4})(R[0-9A-Fa-f]{1,6})?(L[0-9A-Fa-f]{1,6})?(?:#([0-9A-Fa-f]{2,16}))?\[(.*)', re.DOTALL
)
_TIME = re.compile(r"_(\d\d):(\d\d):(\d\d),(\d\d)-(\d\d)-(\d{4})$")
_KINDS = frozenset({"SIA-DCS", "ADM-CID", "NULL"})


def frame(body: str) -> bytes:
    """The bytes around a body that begins with the quote."""
    data = body.encode("latin-1")
    return b"\n" + f"{arc(data):04X}0{len(data):03X}".encode() + data + b"\r"


def stamp(now: datetime) -> str:
    return f"_{now.astimezone(UTC):%H:%M:%S,%m-%d-%Y}"


def encrypt(text: str, key: bytes) -> str:
    """Padding, ``|`` and ``text`` as hexadecimal."""
    pad = -(len(text) + 1) % 16
    data = ("0" * pad + "|" + text).encode("latin-1")
    worker = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return (worker.update(data) + worker.finalize()).hex().upper()


def decrypt(text: str, key: bytes) -> str | None:
    """What was encrypted, without padding; None when it is no multiple of 16 bytes or has no padding mark."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return None
    if not data or len(data) % 16:
        return None
    worker = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
    plain = (worker.update(data) + worker.finalize()).decode("latin-1")
    _, mark, rest = plain.partition("|")
    return rest if mark else None


@dataclass(frozen=True)
class _Parts:
    """What identifies a block, and the receiver's answers to it."""

    sequence: str
    receiver: str
    line: str
    account: str
    key: bytes | None = None

    def reply(self, word: str, now: datetime) -> tuple[Outgoing, ...]:
        account = f"#{self.account}" if self.account else ""
        head = f"{self.sequence}{self.receiver}{self.line}{account}["
        if self.key:
            return (Outgoing(frame(f'"*{word}"{head}{encrypt("]" + stamp(now), self.key)}')),)
        return (Outgoing(frame(f'"{word}"{head}]')),)


class Decoder(StreamDecoder):
    limit = LONGEST

    def _cut(self, at: int) -> tuple[int, int, str]:
        buffer = self._buffer
        begin = buffer.find(b"\n", at)
        if begin < 0:
            return len(buffer), len(buffer), ""
        end, again = buffer.find(b"\r", begin), buffer.find(b"\n", begin + 1)
        if again >= 0 and (end < 0 or again < end):
            return begin, again, "cut_off"
        return begin, end + 1, ""

    def _frame(self, raw: bytes, out: Collector, received_at: datetime) -> None:
        head = _HEAD.match(raw)
        body = raw[head.end() : -1] if head else b""
        if not head:
            out.skip("malformed", raw)
        elif len(body) != int(head[2], 16) or (arc(body) != int(head[1], 16) and not self.options.lenient):
            out.skip("checksum", raw)
        else:
            self._block(raw, body.decode("latin-1"), out, received_at)

    def _block(self, raw: bytes, body: str, out: Collector, received_at: datetime) -> None:
        found = _BODY.match(body)
        if not found:
            out.skip("malformed", raw)
            return
        star, kind, sequence, receiver, line, account, rest = found.groups(default="")
        key = self.options.key(account) if star else None
        parts = _Parts(sequence, receiver, line, account, key)
        if star:
            rest = decrypt(rest, key) if key and len(key) in (16, 24, 32) else None
            if rest is None:
                out.skip("no_key" if not key else "undecipherable", raw)
                return
            rest = rest.removeprefix("[")
        data, _, tail = rest.rpartition("]") if "]" in rest else (rest, "", "")
        clock = _TIME.search(tail)
        stated = moment(*(int(clock[n]) for n in (6, 4, 5, 1, 2, 3))) if clock else None
        if star and clock is None:  # a foreign key may leave a padding mark by chance, but no time
            out.skip("undecipherable", raw)
            return
        if star and not _fresh(stated, received_at):
            out.skip("wrong_clock", raw, (Outgoing(frame(f'"NAK"0000L0A0[]{stamp(received_at)}')),))
            return
        out.messages.append(self._message(raw, kind, parts, data, stated, received_at))

    def _message(
        self, raw: bytes, kind: str, parts: _Parts, data: str, stated: datetime | None, received_at: datetime
    ) -> Message:
        account, mark, content = data.partition("|")
        content = content if mark else data
        seen = event(kind, content) if kind in _KINDS else None
        details: dict[str, object] = {"line": parts.line, "receiver": parts.receiver}
        if seen:
            details |= seen.details
        treated = seen is not None
        return Message(
            "sia-dc09", parts.account or account.removeprefix("#"), seen.kind if seen else MessageKind.NOTHING, kind, received_at, raw,
            time=device_time(stated, 0, received_at) if stated else None, alarms=seen.alarms if seen else (),
            states=seen.states if seen else {}, details=details, sequence=parts.sequence,
            text=content.partition("]")[0] if kind != "NULL" else "",
            replies=parts.reply("ACK" if treated else "DUH", received_at),
        )  # fmt: skip


def _fresh(stated: datetime | None, received_at: datetime) -> bool:
    if stated is None:
        return False
    ahead = stated.replace(tzinfo=UTC) - received_at
    return -BEHIND <= ahead <= AHEAD


class DC09:
    name = "sia-dc09"
    topics = ()
    urgent = re.compile(rb"SIA-DCS|ADM-CID")

    def decoder(self, options: Options = Options()) -> Decoder:
        return Decoder(options)

    def encode(self, command: Command, target: Target, now: datetime) -> NotEncodable | Encoded:
        """A receiver only answers."""
        return NotEncodable("unsupported", command.name)


CODEC = register(DC09())
