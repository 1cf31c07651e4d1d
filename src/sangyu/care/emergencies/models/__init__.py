from .case import Alarm, Incident, Notice, Party, Step, Trail
from .exchange import Exchange
from .standing import Call, CallEvent, Channel, Drill, Duty, OpenHours, PeriodicTest, Station

__all__ = [
    "Alarm", "Call", "CallEvent", "Channel", "Drill", "Duty", "Exchange", "Incident", "Notice", "OpenHours", "Party", "PeriodicTest", "Station",
    "Step", "Trail",
]  # fmt: skip
