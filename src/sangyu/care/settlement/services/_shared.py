from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible

from ..enums import Action
from ..models import Statement
from ..workflow import STATEMENT_FLOW


def get_statement(pk: int, *, lock: bool = False) -> Statement:
    """The statement as the open scope sees it; raises NotVisible."""
    rows = Statement.objects.select_for_update(of=("self",)) if lock else Statement.objects.all()
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


def apply(actor: Actor, pk: int, action: Action, **kwargs) -> Statement:
    """One step of a statement; see kernel.workflow.Workflow.apply."""
    return STATEMENT_FLOW.apply(actor=actor, queryset=Statement.objects.all(), pk=pk, action=action, **kwargs)
