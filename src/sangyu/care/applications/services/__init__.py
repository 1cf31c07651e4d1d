"""What people do with applications, objections, holds, forms of delivery and accounts."""

from ..panels import Member
from .applying import add_paper, apply, apply_for_body, approve_step, decide, refuse, withdraw
from .objecting import answer_objection, appeal, object_for_body, object_to, object_to_refusal, withdraw_objection
from .payees import approve_payee, note_rejection, propose_body_payee, propose_payee, refuse_payee, reveal_payee
from .standing import hold, hold_body, resume, set_delivery

__all__ = [
    "Member",
    "add_paper",
    "answer_objection",
    "appeal",
    "apply",
    "apply_for_body",
    "approve_payee",
    "approve_step",
    "decide",
    "hold",
    "hold_body",
    "note_rejection",
    "object_for_body",
    "object_to",
    "object_to_refusal",
    "propose_body_payee",
    "propose_payee",
    "refuse",
    "refuse_payee",
    "resume",
    "reveal_payee",
    "set_delivery",
    "withdraw",
    "withdraw_objection",
]
