"""Whom to play: devices of the register with their wearers' homes, or made-up ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

#: A town of the demo, for devices whose wearer has no place.
CENTRE = (40.6674, 122.2353)


@dataclass(frozen=True, slots=True)
class Wearer:
    """One device and where its wearer lives (WGS-84)."""

    protocol: str
    identity: str
    latitude: float
    longitude: float
    product: str = ""
    #: Of those that sign in.
    password: str = ""


def made_up(protocol: str, count: int, *, seed: object = 1, first: int = 1) -> list[Wearer]:
    """``count`` devices with numbers that no demo city has."""
    digits = 10 if protocol == "watch" else 15
    return [Wearer(protocol, f"88{n:0{digits - 2}d}", *_near(seed, n)) for n in range(first, first + count)]


def of_register(most: int, *, seed: object = 1, protocols: Iterable[str]) -> list[Wearer]:
    """Issued devices of the register with the coordinates of their wearers, by id. Needs Django and a database."""
    from sangyu.kernel.actor import Actor
    from sangyu.kernel.scoping import scope
    from sangyu.registry.devices import credentials
    from sangyu.registry.devices.models import Device

    with scope(Actor.job("simulate")):
        rows = Device.objects.filter(protocol__in=list(protocols), state="issued").order_by("pk")
        wanted = rows.values_list(
            "protocol", "identity", "person__latitude", "person__longitude", "product", "pk", "credential"
        )
        return [
            Wearer(
                protocol, identity, *((latitude, longitude) if latitude is not None else _near(seed, pk)), product,
                credentials.secret(protocol, identity, version) if protocol in credentials.MQTT else "",
            )
            for protocol, identity, latitude, longitude, product, pk, version in wanted[:most]
        ]  # fmt: skip


def of_gateway(file: Path, most: int, *, seed: object = 1, protocols: Iterable[str]) -> list[Wearer]:
    """Devices of the register that a gateway keeps on disk: works without a database, so without those that need a password."""
    import msgspec

    from sangyu.runtime.gateway.register import Device
    from sangyu.runtime.gateway.topics import PROTOCOLS

    known = msgspec.msgpack.decode(file.read_bytes(), type=list[Device])
    kinds = set(protocols) - PROTOCOLS
    chosen = [d for d in known if d.protocol in kinds and d.state == "issued"][:most]
    return [Wearer(d.protocol, d.identity, *_near(seed, d.id), d.product) for d in chosen]


def _near(seed: object, n: int) -> tuple[float, float]:
    draw = Random(f"{seed} place {n}")
    return CENTRE[0] + draw.uniform(-0.04, 0.04), CENTRE[1] + draw.uniform(-0.05, 0.05)
