"""Background work of emergencies."""
