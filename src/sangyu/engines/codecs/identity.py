"""One id for one message, the same when a device sends it again (devices.md §0.3, ADR 0024)."""

from hashlib import blake2b

from .messages import Message

SIZE = 16


def identity(message: Message) -> bytes:
    """16 bytes: digest of protocol, device, word, device time and body, without what a device counts up on each try (serial, checksum).

    A message without a time of its own cannot be told from the next of the same content, so the moment of its arrival counts:
    it is never taken for a repetition (two heartbeats are two).
    """
    stated = message.time.stated if message.time else message.received_at
    head = "\x1f".join((message.protocol, message.device, message.word, stated.isoformat()))
    return blake2b(head.encode("utf-8", "replace") + b"\x1e" + _body(message), digest_size=SIZE).digest()


def _body(message: Message) -> bytes:
    if message.protocol == "gt06":
        return message.raw[:-6]
    if message.protocol == "watch" and message.sequence:
        return message.raw.split(b"*", 3)[-1]
    return message.raw
