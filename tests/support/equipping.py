"""Words that tests of devices share."""

from datetime import datetime

from django.utils.timezone import make_aware

NOW = make_aware(datetime(2026, 10, 14, 9, 0))
#: The elder said yes to both questions.
AGREED = {"location": "paper", "health_data": "paper"}
