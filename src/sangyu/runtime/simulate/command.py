"""``sangyu simulate``: play the devices of this home's register, or made-up ones, until Ctrl-C."""

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from ..engines.process import EngineError
from ..gateway.config import state_file
from . import faults
from .fleet import PROTOCOLS, Fleet
from .wearers import Wearer, of_gateway, of_register

LEVELS = {"none": faults.NONE, "mild": faults.MILD, "wild": faults.WILD}


def ports_of(home: Path, given: str) -> dict[str, int]:
    """``watch=5093,h02=…``, else those of the gateway that runs in ``home``. Raises EngineError."""
    if given:
        made = dict(word.strip().split("=", 1) for word in given.split(",") if "=" in word)
        if not made or not all(name in PROTOCOLS and port.isdigit() for name, port in made.items()):
            raise EngineError(f"“{given}” names no ports.", f"write watch=5093; protocols: {', '.join(PROTOCOLS)}")
        return {name: int(port) for name, port in made.items()}
    try:
        said = json.loads(state_file(home).read_text())
    except (OSError, ValueError):
        raise EngineError("No gateway runs here.", "start `sangyu up`, or name its ports: --ports watch=5093") from None
    made = {name: ports[0] for name, ports in said["ports"].items() if name in PROTOCOLS}
    with contextlib.suppress(OSError, ValueError, KeyError):  # MQTT has a port where the operator opened one
        listen = json.loads((home / "nats" / "nats.conf").read_text())["mqtt"]["listen"]
        made["alink"] = int(listen.rpartition(":")[2])
    return made


def wearers_of(home: Path, ports: Mapping[str, int], most: int, seed: object) -> list[Wearer]:
    """Issued devices with their wearers' homes; without a database those that the gateway keeps. Raises EngineError."""
    try:
        import django

        django.setup()
        found = of_register(most, seed=seed, protocols=ports)
    except Exception:
        kept = home / "gateway" / "register"
        found = of_gateway(kept, most, seed=seed, protocols=ports) if kept.exists() else []
    if not found:
        raise EngineError("There is no issued device to play.", "load a city with `sangyu demo`, or issue devices")
    return found


async def play(
    wearers: list[Wearer], ports: Mapping[str, int], *, host: str, seed: object, interval: float, rate: float, sos: float,
    seconds: float, level: str, say,
) -> dict[str, int]:  # fmt: skip
    """Connect, speak until the time is over or a signal comes, close. Answers the counts."""
    fleet = Fleet(wearers, ports, host=host, seed=seed, faults=LEVELS[level])
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, fleet.stop)
    signed_in = await fleet.open(a_second=500, seconds=30)
    say(f"{signed_in} of {len(wearers)} devices signed in")

    def told(counts: dict[str, int]) -> None:
        words = ("sent", "answered", "alarms", "alarms_answered", "commands", "lost")
        say(f"{len(fleet.signed_in)} signed in; " + ", ".join(f"{w} {counts.get(w, 0)}" for w in words))

    await fleet.run(seconds=seconds, rate=rate, interval=interval, sos=sos, told=told)
    await fleet.settle(10)
    await fleet.close()
    return dict(fleet.counts)


async def press(
    wearer: Wearer, ports: Mapping[str, int], *, host: str, seed: object = 1, kind: str = "sos", seconds: float = 30
) -> float:
    """One press of the button: connect, sign in, send, wait for the answer. Seconds from press to answer. Raises EngineError."""
    fleet = Fleet([wearer], ports, host=host, seed=seed)
    await fleet.open(seconds=seconds)
    (device,) = fleet.devices
    if not device.signed_in:
        await fleet.close()
        raise EngineError("The device was not let in.", "is its number registered, and does the gateway run?")
    began = time.monotonic()
    device.press(kind)
    done = await fleet.settle(seconds)
    await fleet.close()
    if not done:
        raise EngineError(f"The alarm was not answered within {seconds:.0f} s.", "see the log of the gateway")
    return fleet.delays[-1] if fleet.delays else time.monotonic() - began
