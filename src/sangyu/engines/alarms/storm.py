"""The storm guard: many devices of one gateway or operator fall silent at once → one case of the network, not hundreds (devices.md §6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, order=True)
class Silence:
    """A device fell silent; ``group`` is its gateway or operator, "" when it has none."""

    at: datetime
    device: str
    group: str


@dataclass(frozen=True)
class Storm:
    """One case: since when, which devices."""

    group: str
    at: datetime
    devices: frozenset[str]


def storms(
    silences: Iterable[Silence], sizes: Mapping[str, int], *, window: timedelta = timedelta(minutes=5), least: int = 10,
    share: float = 0.3,
) -> tuple[list[Storm], list[Silence]]:  # fmt: skip
    """Storms, and the silences that belong to none. A storm: at least ``least`` devices and ``share`` of the group's within ``window`` of each other.
    Order and repetition of ``silences`` do not matter."""
    groups: dict[str, list[Silence]] = {}
    for silence in sorted(set(silences)):
        groups.setdefault(silence.group, []).append(silence)
    found, alone = [], []
    for group, members in sorted(groups.items()):
        cluster: list[Silence] = []
        for silence in [*members, None]:
            if silence is not None and (not cluster or silence.at - cluster[-1].at <= window):
                cluster.append(silence)
                continue
            devices = frozenset(s.device for s in cluster)
            if group and len(devices) >= max(least, share * sizes.get(group, 0)):
                found.append(Storm(group, cluster[0].at, devices))
            else:
                alone += cluster
            cluster = [silence] if silence is not None else []
    return found, sorted(alone)
