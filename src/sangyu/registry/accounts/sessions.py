"""Session engine that keeps account, grant, time and source beside the data, so that people can see and end their
sessions."""

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

#: Session keys of our own.
GRANT_KEY = "grant"
ORIGIN_KEY = "origin"
METHOD_KEY = "method"


class SessionStore(DatabaseStore):
    """Django's database sessions on ``AccountSession``; ``row`` is the loaded row."""

    row = None

    @classmethod
    def get_model_class(cls):
        from .models import AccountSession

        return AccountSession

    def _get_session_from_db(self):
        self.row = super()._get_session_from_db()
        return self.row

    def create_model_instance(self, data):
        row = super().create_model_instance(data)
        source, agent, started = data.get(ORIGIN_KEY) or ("", "", None)
        row.account_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.grant_id = data.get(GRANT_KEY)
        row.source, row.agent = source, agent
        row.last_seen = timezone.now()
        row.started_at = timezone.datetime.fromisoformat(started) if started else row.last_seen
        return row
