"""The service worker that keeps pages for places without a network: served by each surface from its own address."""

from pathlib import Path

from django.http import HttpResponse

from .pages import PlainPage

SERVICE_WORKER = Path(__file__).parent / "static" / "ui" / "js" / "offline-sw.js"


class OfflineShell(PlainPage):
    """``class Shell(OfflineShell): url, name = "sw.js", "sw"``: it answers for the addresses below its own alone."""

    access = "public"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        response = HttpResponse(SERVICE_WORKER.read_bytes(), content_type="text/javascript")
        response["Cache-Control"] = "no-cache"
        return response
