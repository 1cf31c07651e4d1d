"""Graphs of a registration and of a contract."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.errors import Refused
from sangyu.kernel.workflow import Workflow
from sangyu.registry.catalogue.enums import LicenceKind

from .enums import Action, ContractAction, ContractState, LegalForm, State
from .models import Contract, ContractLog, Licence, Organisation, OrganisationLog, Price


def _has_legal_existence(row: Organisation, *, now: datetime, **kwargs) -> None:
    """A form with a credit code shows its business licence or registration certificate before it may work (R-006)."""
    if not LegalForm(row.legal_form).has_credit_code:
        return
    day = timezone.localdate(now)
    kinds = [LicenceKind.BUSINESS, LicenceKind.REGISTRATION]
    if not Licence.objects.on(day).filter(organisation=row, kind__in=kinds).exists():
        raise Refused(
            _("Record a business licence or registration certificate that is valid today first."),
            code="organisations.no_licence",
        )


def _has_reason(row, *, reason: str, **kwargs) -> None:
    if not reason.strip():
        raise Refused(_("Give the reason."), code="organisations.reason")


def _may_be_signed(row: Contract, *, now: datetime, **kwargs) -> None:
    if row.organisation.state != State.APPROVED:
        raise Refused(_("The organisation is not approved."), code="organisations.not_approved")
    if row.valid_to <= timezone.localdate(now):
        raise Refused(_("The term of the contract is already over."), code="contracts.over")
    if not Price.objects.filter(contract=row).exists():
        raise Refused(_("Give the contract at least one price first."), code="contracts.no_price")


REGISTRATION = Workflow(
    name="organisations",
    edges=(
        (Action.APPROVE, State.DRAFT, State.APPROVED),
        (Action.SUSPEND, State.APPROVED, State.SUSPENDED),
        (Action.RESUME, State.SUSPENDED, State.APPROVED),
        (Action.END, State.APPROVED, State.ENDED),
        (Action.END, State.SUSPENDED, State.ENDED),
    ),
    log=lambda: OrganisationLog,
    log_fk="organisation",
    stamps={State.ENDED: "ended_at"},
    guards={
        Action.APPROVE: (_has_legal_existence,),
        Action.RESUME: (_has_legal_existence,),
        Action.SUSPEND: (_has_reason,),
        Action.END: (_has_reason,),
    },
)

CONTRACT = Workflow(
    name="organisations.contract",
    edges=(
        (ContractAction.SIGN, ContractState.DRAFT, ContractState.ACTIVE),
        (ContractAction.END, ContractState.ACTIVE, ContractState.ENDED),
    ),
    log=lambda: ContractLog,
    log_fk="contract",
    stamps={ContractState.ACTIVE: "signed_at", ContractState.ENDED: "ended_at"},
    guards={ContractAction.SIGN: (_may_be_signed,), ContractAction.END: (_has_reason,)},
)
