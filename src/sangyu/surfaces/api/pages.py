"""The OpenAPI document and a plain page that lists the operations."""

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from ninja.responses import NinjaJSONEncoder

from sangyu.kernel.permissions import all_permissions
from sangyu.ui.pages import PlainPage

from . import errors
from .main import api


def document() -> dict:
    """The OpenAPI document in the language of the request."""
    return api.get_openapi_schema(path_prefix=reverse("api:openapi").removesuffix("openapi.json"))


def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        json.dumps(document(), cls=NinjaJSONEncoder, ensure_ascii=False), content_type="application/json"
    )


def unknown(request: HttpRequest) -> JsonResponse:
    """An address that no operation has."""
    return JsonResponse(errors.not_found(), status=404)


class Operations(PlainPage):
    """All operations on one page, without a script from elsewhere: the strict content policy holds here too."""

    url = ""
    name = "operations"
    permission = ""
    title = _("HTTP API")
    template = "api/operations.html"

    def get_context(self) -> dict:
        labels = all_permissions()
        groups: dict[str, list[dict]] = {}
        for path, methods in document()["paths"].items():
            for method, operation in methods.items():
                permission = operation["x-permission"]
                groups.setdefault(operation["tags"][0], []).append(
                    {
                        "method": method.upper(),
                        "path": path,
                        "id": operation["operationId"],
                        "summary": operation["summary"],
                        "permission": labels[permission],
                        "may": self.actor.may(permission),
                    }
                )
        return {"groups": [(TITLES[name], rows) for name, rows in groups.items()]}


TITLES = {
    "registers": _("Regions, services, organisations, workers"),
    "people": _("Elders"),
    "imports": _("Hand-over of lists"),
    "orders": _("Orders"),
    "visits": _("Visits"),
    "agreements": _("Agreements"),
    "money": _("Vouchers and statements"),
    "assessments": _("Assessments"),
    "policies": _("Documents and policies"),
    "entitlements": _("Facilities, applications, objections"),
    "benefits": _("Benefit runs"),
    "file work": _("Duplicates, transfers, data requests"),
    "screening": _("Screening campaigns"),
    "emergencies": _("Emergencies"),
    "devices": _("Devices"),
    "signals": _("Alarms and measurements of devices"),
}
