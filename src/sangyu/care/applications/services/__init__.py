"""What people do with applications, objections, holds, forms of delivery and accounts."""

from .applying import add_paper, apply, apply_for_body, approve_step, decide, refuse, withdraw
from .objecting import answer_objection, appeal, object_to, withdraw_objection
from .payees import approve_payee, note_rejection, propose_body_payee, propose_payee, refuse_payee, reveal_payee
from .standing import hold, resume, set_delivery

__all__ = [
    "add_paper",
    "answer_objection",
    "appeal",
    "apply",
    "apply_for_body",
    "approve_payee",
    "approve_step",
    "decide",
    "hold",
    "note_rejection",
    "object_to",
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
