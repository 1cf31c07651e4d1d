"""The clock of vouchers: once a night."""

from django.utils.timezone import localdate
from procrastinate.contrib.django import app

from sangyu.kernel.actor import Actor

from . import services


@app.periodic(cron="20 16 * * *")  # 00:20 in Shanghai
@app.task(name="vouchers.expire", queue="clock", queueing_lock="vouchers.expire")
def expire(timestamp: int) -> None:
    """End the vouchers that may no longer be used, in portions."""
    actor = Actor.job("voucher clock")
    while sum(services.expire_due(actor=actor, today=localdate())[n] for n in ("expired", "rolled_over")):
        pass
