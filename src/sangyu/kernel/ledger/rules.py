"""Scope rules that only the ledger needs."""

from dataclasses import dataclass

from django.db.models import Q

from ..actor import Actor
from ..scoping import Rule


@dataclass(frozen=True)
class Owned(Rule):
    """Accounts whose owner is the actor's own subject. ``kind`` is the owner kind: subject ids of two kinds may be equal."""

    kind: str

    def sql(self, table: str) -> str:
        return f"owner_kind = '{self.kind}' AND owner_id = sangyu.scope_subject()"

    def q(self, actor: Actor) -> Q:
        return Q(owner_kind=self.kind, owner_id=actor.subject_id)


@dataclass(frozen=True)
class EitherSide(Rule):
    """Transfers of which one account at least is seen. One EXISTS over both ids, so the index on accounts serves it."""

    def sql(self, table: str) -> str:
        return f'EXISTS (SELECT 1 FROM ledger_account a WHERE a.id IN ("{table}".debit_id, "{table}".credit_id))'

    def q(self, actor: Actor) -> Q:
        from .models import Account

        seen = Account.objects.visible_to(actor).values("pk")
        return Q(debit__in=seen) | Q(credit__in=seen)
