"""Kill -9 on the signal road: what a device was told is stored is stored, once; every caller has one case (issue 5 §6.3)."""

import pytest

from support.killing import run

pytestmark = pytest.mark.stack
VICTIMS = ("consumer", "gateway", "nats", "postgres", "consumer")


def test_killed_in_turn_nothing_acknowledged_is_lost_and_nothing_doubled(town):
    """R-089, R-094: under 200 messages a second with a hundredth of presses."""
    done = run(town.city, devices=200, rate=200, sos=0.01, victims=VICTIMS, between=3)
    assert sorted(done.killed) == sorted(VICTIMS)
    assert done.acknowledged > 100
    assert done.presses_answered > 5
    assert done.whole, str(done)
