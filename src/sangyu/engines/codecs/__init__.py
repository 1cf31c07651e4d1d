"""Codecs: bytes of devices ↔ messages and commands; no sockets, no clock, no Django (R-089 … R-096, docs/adr/0022-signals-codecs.md).

``codec("watch").decoder(options)`` → a decoder for one connection; ``feed(data, received_at=, topic=)`` → ``Batch`` of messages and what was
skipped. ``encode(codec, command, target, now)`` → steps to send or why not. ``products`` reads the profiles of data/devices/products and
``products.interpret`` applies one to a message.
"""

from . import dc09, gatt, gt06, h02, mqtt, watch
from .commands import Authorisation, Encoded, NotEncodable, Step, Target
from .interface import CODECS, Codec, Decoder, Options, encode, register
from .kinds import AlarmKind, Datum, Doubt, MessageKind, ReadingKind
from .messages import Alarm, Batch, Cell, DeviceTime, Message, Outgoing, Position, Reading, Skipped

__all__ = [
    "CODECS", "Alarm", "AlarmKind", "Authorisation", "Batch", "Cell", "Codec", "Datum", "Decoder", "DeviceTime", "Doubt",
    "Encoded", "Message", "MessageKind", "NotEncodable", "Options", "Outgoing", "Position", "Reading", "ReadingKind",
    "Skipped", "Step", "Target", "codec", "dc09", "encode", "gatt", "gt06", "h02", "mqtt", "register", "watch",
]  # fmt: skip


def codec(name: str) -> Codec:
    """The codec of that name. KeyError if there is none."""
    return CODECS[name]
