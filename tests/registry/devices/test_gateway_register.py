"""The register as the gateway reads it (ADR 0023, 0024)."""

from sangyu.runtime.gateway.register import Database, Device


def test_the_gateway_reads_every_device_in_the_scope_of_a_job(receive):
    watch = receive()
    mine = Device(watch.pk, "watch", watch.identity, "watch-3g", "stock", False)
    assert mine in Database().everything()
    assert Database().everything([watch.pk]) == [mine]
    assert Database().everything([watch.pk + 1]) == []
    assert Database().one("watch", watch.identity) == mine
    assert Database().one("gt06", watch.identity) is None
