"""What other rooms' events mean for assessments: a changed state makes a result due (R-029)."""

from datetime import date

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import on
from sangyu.registry.people import events as people

from . import services


@on(people.DISCHARGED)
def home_again(actor: Actor, path: str, id: int, on: str, **more) -> None:
    """Back from hospital or an institution."""
    services.mark_due(actor=actor, person_id=id, on=date.fromisoformat(on))


@on(people.FACT_RECORDED)
def state_changed(actor: Actor, path: str, id: int, kind: str, value: str, valid_from: str, **more) -> None:
    """Somebody recorded that the person is bedridden now."""
    if (kind, value) == ("bedridden", "yes"):
        services.mark_due(actor=actor, person_id=id, on=date.fromisoformat(valid_from))
