"""The door of emergencies: alarms become cases, acts of the desk and of those who go, clocks, notices, roster, drills, calls."""

from .by_hand import ByHand, raise_by_hand
from .closing import close
from .drills import drill_done, plan_drill, start_drill
from .exchanges import add_exchange, exchange_signature, renew_exchange, reveal_exchange, stop_exchange
from .handling import claim, escalate_120, note, release, review, verify
from .making import Raised
from .notices import deliver
from .opening import alarms, device_reset
from .placing import tell_place
from .responding import answer_offer, arrived, offer, on_the_way
from .standing import hand_over, plan_nights, reassign_night, save_channel, save_station
from .telephony import call_event, called_back, write_down_call
from .ticking import tick

__all__ = [
    "ByHand", "Raised", "add_exchange", "alarms", "answer_offer", "arrived", "call_event", "called_back", "claim", "close", "deliver",
    "device_reset", "drill_done", "escalate_120", "exchange_signature", "hand_over", "note", "offer", "on_the_way", "plan_drill", "plan_nights",
    "raise_by_hand", "reassign_night", "release", "renew_exchange", "reveal_exchange", "review", "save_channel", "save_station", "start_drill", "stop_exchange", "tell_place", "tick", "verify",
    "write_down_call",
]  # fmt: skip
