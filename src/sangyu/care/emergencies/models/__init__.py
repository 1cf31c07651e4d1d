from .case import Alarm, Incident, Notice, Party, Step, Trail

__all__ = ["Alarm", "Incident", "Notice", "Party", "Step", "Trail"]
