"""Simulated devices that speak the protocols over real connections, repeatable from a seed (issue 5 §5; docs/rooms/simulate.md).

``life`` (what a wearer does by the clock) → ``speech`` (frames, answers, commands) → ``fleet`` (connections, faults, counts). ``wearers`` reads whom to play.
Used by ``sangyu simulate``, by tests and by benches::

    fleet = Fleet(made_up("watch", 100, seed=1), {"watch": 5093}, seed=1)
    await fleet.open()
    await fleet.run(seconds=10, rate=500, sos=0.01)
    await fleet.close()
    fleet.counts, fleet.answered_ids
"""

from .faults import MILD, NONE, WILD, Faults
from .fleet import Fleet
from .wearers import Wearer, made_up

__all__ = ["MILD", "NONE", "WILD", "Faults", "Fleet", "Wearer", "made_up"]
