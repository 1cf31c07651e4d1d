"""What goes wrong on the way from a device, as probabilities (devices.md §0): each a message, ``wrong_clock`` a device, ``drop`` a message."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Faults:
    """``fragment``: sent in pieces; ``twice``: the same frame again; ``rubbish``: noise before the frame; ``length``: a wrong declared length
    (watches); ``drop``: the connection breaks after it and comes back; ``wrong_clock``: years or hours off, by device."""

    fragment: float = 0.0
    twice: float = 0.0
    rubbish: float = 0.0
    length: float = 0.0
    drop: float = 0.0
    wrong_clock: float = 0.0

    def made(self, frame: bytes, draw: Random) -> bytes:
        """A watch's frame as its firmware writes it: once wrong, wrong on each try."""
        return _other_length(frame, draw) if self.length and draw.random() < self.length else frame

    def pieces(self, frame: bytes, draw: Random) -> list[bytes]:
        """The writes that carry the frame. Rubbish never holds the beginning of a frame."""
        if self.rubbish and draw.random() < self.rubbish:
            frame = bytes(draw.choice(b"\x00\x01\x7f\xff\xaa") for _n in range(draw.randint(1, 40))) + frame
        if self.twice and draw.random() < self.twice:
            frame += frame
        if self.fragment and draw.random() < self.fragment and len(frame) > 4:
            cuts = sorted(draw.sample(range(1, len(frame)), draw.randint(1, 3)))
            return [frame[a:b] for a, b in zip([0, *cuts], [*cuts, len(frame)], strict=True)]
        return [frame]


def _other_length(frame: bytes, draw: Random) -> bytes:
    parts = frame.split(b"*", 3)
    if len(parts) < 4:
        return frame
    parts[2] = b"%04X" % max(0, int(parts[2], 16) + draw.choice((-7, -2, 1, 5, 13)))
    return b"*".join(parts)


NONE = Faults()
MILD = Faults(fragment=0.05, twice=0.005, rubbish=0.002, length=0.05, drop=0.0005, wrong_clock=0.01)
WILD = Faults(fragment=0.5, twice=0.1, rubbish=0.05, length=0.3, drop=0.01, wrong_clock=0.1)
