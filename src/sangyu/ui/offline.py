"""Pages for places without a network: the service worker that keeps them, and what their scripts send later.

``static/ui/js/offline.js`` is the other half: the store on the device, sending, the signature pad.
"""

import base64
import binascii
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from sangyu.kernel.errors import Invalid

from .pages import PlainPage

SERVICE_WORKER = Path(__file__).parent / "static" / "ui" / "js" / "offline-sw.js"
#: The longest signature picture that is read, in characters of base64.
MOST_SIGNATURE = 400_000


class OfflineShell(PlainPage):
    """``class Shell(OfflineShell): url, name = "sw.js", "sw"``: it answers for the addresses below its own alone."""

    access = "public"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        response = HttpResponse(SERVICE_WORKER.read_bytes(), content_type="text/javascript")
        response["Cache-Control"] = "no-cache"
        return response


def read_client_id(text: str) -> UUID | None:
    """The number that the device gave to what it sends, None when it gave none. Raises Invalid."""
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        raise Invalid({"client_id": [_("What was sent has no valid number. Reload the page.")]}) from None


def read_moment(text: str) -> datetime | None:
    """When the device says it happened, None when it says nothing readable; the service checks what is believable."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None


def read_signature(text: str) -> bytes | None:
    """The PNG drawn on the pad (a data address), None when nothing was drawn. Raises Invalid."""
    if not text:
        return None
    head, _comma, body = text.partition(",")
    try:
        if head == "data:image/png;base64" and len(body) <= MOST_SIGNATURE:
            return base64.b64decode(body, validate=True)
    except binascii.Error:
        pass
    raise Invalid({"signature": [_("The signature cannot be read. Draw it again.")]})
