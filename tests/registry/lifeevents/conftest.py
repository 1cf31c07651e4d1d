"""The small world's elder for life events."""

import pytest

from sangyu.kernel import jobs
from sangyu.registry.lifeevents import services
from sangyu.registry.lifeevents.models import LifeEventItem


@pytest.fixture
def record(world):
    """Factory: record a life event of the elder as the county's desk and run the jobs that follow."""
    from datetime import date

    def make(kind="death", on=date(2026, 10, 13), run=True, **more):
        values = {"source": "殡仪馆证明 123", "reported_by": "family", "today": world.now.date(), "now": world.now}
        event = services.record(actor=world.desk, person_id=world.person.pk, kind=kind, on=on, **(values | more))
        if run:
            jobs.run_due()
            event.refresh_from_db()
        return event

    return make


@pytest.fixture
def items():
    """Item → (state, note, automatic) of an event."""
    return lambda event: {
        i.item: (i.state, i.note, i.automatic) for i in LifeEventItem.objects.filter(event=event).order_by("id")
    }
