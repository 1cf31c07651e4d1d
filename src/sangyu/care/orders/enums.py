"""States, actions and codes of an order. Labels and colours live here, with the value."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class State(models.TextChoices):
    """Where an order stands. ``tone`` is the status colour of the screens."""

    REQUESTED = "requested", _("Requested")
    RECEIVED = "received", _("Waiting for dispatch")
    OFFERED = "offered", _("Waiting for acceptance")
    ACCEPTED = "accepted", _("Accepted")
    ON_THE_WAY = "on_the_way", _("On the way")
    ARRIVED = "arrived", _("In service")
    DONE = "done", _("Waiting for confirmation")
    CONFIRMED = "confirmed", _("Confirmed")
    SETTLED = "settled", _("Settled")
    DISPUTED = "disputed", _("Disputed")
    NO_SHOW = "no_show", _("Elder not at home")
    CANCELLED = "cancelled", _("Cancelled")

    @property
    def tone(self) -> str:
        return _TONES[self.value]


_TONES = {
    "requested": "warn",
    "received": "warn",
    "offered": "info",
    "accepted": "info",
    "on_the_way": "info",
    "arrived": "info",
    "done": "warn",
    "confirmed": "ok",
    "settled": "ok",
    "disputed": "bad",
    "no_show": "mute",
    "cancelled": "mute",
}

#: States in which somebody still has to do something.
OPEN_STATES = (
    State.REQUESTED,
    State.RECEIVED,
    State.OFFERED,
    State.ACCEPTED,
    State.ON_THE_WAY,
    State.ARRIVED,
    State.DONE,
    State.DISPUTED,
)
#: States in which a worker's time is taken.
BOOKED_STATES = (State.ACCEPTED, State.ON_THE_WAY, State.ARRIVED)
#: States in which vouchers are held for the order.
HELD_STATES = (
    State.RECEIVED,
    State.OFFERED,
    State.ACCEPTED,
    State.ON_THE_WAY,
    State.ARRIVED,
    State.DONE,
    State.DISPUTED,
)


class Action(models.TextChoices):
    """What can be done to an order."""

    RECEIVE = "receive", _("Receive")
    RESCHEDULE = "reschedule", _("Change the time")
    OFFER = "offer", _("Dispatch")
    WITHDRAW = "withdraw", _("Withdraw the offer")
    DECLINE = "decline", _("Decline")
    LAPSE = "lapse", _("Let the offer lapse")
    ACCEPT = "accept", _("Accept")
    HAND_BACK = "hand_back", _("Hand back")
    SUBSTITUTE = "substitute", _("Send a substitute")
    DEPART = "depart", _("Set out")
    ARRIVE = "arrive", _("Arrive")
    FINISH = "finish", _("Finish")
    REPORT_NO_SHOW = "report_no_show", _("Report nobody at home")
    CONFIRM = "confirm", _("Confirm")
    DISPUTE = "dispute", _("Dispute")
    RESOLVE = "resolve", _("Settle the dispute")
    SETTLE = "settle", _("Settle")
    REFUND = "refund", _("Refund")
    CANCEL = "cancel", _("Cancel")


class Channel(models.TextChoices):
    """How the need reached us (R-078, R-087)."""

    HOTLINE = "hotline", _("12349 hotline")
    STATION = "station", _("Community station")
    APP = "app", _("App")
    WECHAT = "wechat", _("WeChat")
    WEB = "web", _("Website")
    API = "api", _("Other system")
    PLAN = "plan", _("Recurring plan")


class OfferState(models.TextChoices):
    OPEN = "open", _("Waiting")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    LAPSED = "lapsed", _("Lapsed")
    WITHDRAWN = "withdrawn", pgettext_lazy("offer", "Withdrawn")


class EvidenceKind(models.TextChoices):
    """What proves a visit (R-085)."""

    DEPARTED = "departed", _("Set out")
    PLACE = "place", _("Place")
    QR = "qr", _("Home QR code")
    NO_PROOF = "no_proof", _("Arrived without proof")
    PAPER = "paper", _("Paper form")
    ITEM = "item", _("Item done")
    PHOTO = "photo", _("Photo")
    SIGNATURE = "signature", _("Signature")
    NOTE = "note", _("Note")


class AgreementState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    SIGNED = "signed", _("Signed")
    ENDED = "ended", _("Ended")


class ReturnVisitState(models.TextChoices):
    DUE = "due", _("Due")
    DONE = "done", _("Done")


class ReturnVisitReason(models.TextChoices):
    LOW_RATING = "low_rating", _("Low rating")
    DISPUTE = "dispute", _("Dispute")
    NO_PROOF = "no_proof", _("Arrival without proof")
    SAMPLE = "sample", _("Sample")
