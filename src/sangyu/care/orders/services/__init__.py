"""The door of orders: every act of the Need road, in the order in which it happens."""

from ..codes import home_code
from .agreements import draft_agreement, end_agreement, end_agreements_of, plan_recurring, sign_agreement
from .closing import cancel, confirm, dispute, record_return_visit, refund, report_no_show, resolve
from .dispatching import accept, decline, hand_back, offer, proposals, substitute, withdraw
from .intake import price_preview, receive, request, request_and_receive, reschedule
from .rules import condition_in_words, load_fee_rules, set_service_rule
from .settling import mark_settled
from .upkeep import cancel_for_person, release_from_organisation, release_from_worker, sweep
from .visiting import add_evidence, arrive, depart, finish, record_paper_visit

__all__ = [
    "accept",
    "add_evidence",
    "arrive",
    "cancel",
    "cancel_for_person",
    "condition_in_words",
    "confirm",
    "decline",
    "depart",
    "dispute",
    "draft_agreement",
    "end_agreement",
    "end_agreements_of",
    "finish",
    "hand_back",
    "home_code",
    "load_fee_rules",
    "mark_settled",
    "offer",
    "plan_recurring",
    "price_preview",
    "proposals",
    "receive",
    "record_paper_visit",
    "record_return_visit",
    "refund",
    "release_from_organisation",
    "release_from_worker",
    "report_no_show",
    "request",
    "request_and_receive",
    "reschedule",
    "resolve",
    "set_service_rule",
    "sign_agreement",
    "substitute",
    "sweep",
    "withdraw",
]
