"""Error pages and fragments in the theme of the page they interrupt."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _

from sangyu.kernel.errors import Forbidden, Invalid
from sangyu.kernel.permissions import all_permissions


def describe(status: int, error: Exception | None) -> tuple[str, str]:
    """Title and explanation for ``status``: what happened, and what to do."""
    message = str(getattr(error, "message", "") or "")
    if status == 403:
        if isinstance(error, Forbidden):
            label = all_permissions().get(error.permission, error.permission)
            return _("Your role may not do this"), _("This needs the permission “%(label)s”.") % {"label": label}
        return _("Your role may not do this"), message or _("Ask your administrator for access.")
    if status == 404:
        return _("Not found"), message or _("It does not exist, or it lies outside the area you are signed in for.")
    if status == 409:
        return _("Not possible now"), message or _("Something else has changed in the meantime. Reload and try again.")
    if status == 422:
        return _("Please correct the input"), message
    if status == 400:
        return _("The request was not understood"), message or _("Go back and try again.")
    return _("Something went wrong on our side"), _(
        "Nothing was saved. Try again; if it stays, report the number below."
    )


def error_response(request: HttpRequest, status: int, error: Exception | None = None, number: str = "") -> HttpResponse:
    """The answer for ``status``: a fragment for htmx, else a page. Runs no query."""
    title, message = describe(status, error)
    context = {
        "status": status,
        "title": title,
        "message": message,
        "number": number,
        "permission": getattr(error, "permission", ""),
        "errors": error.errors if isinstance(error, Invalid) else {},
        "theme": theme_of(request),
        "can_retry": request.method == "GET",
    }
    partial = bool(getattr(request, "htmx", False)) and not request.htmx.boosted
    template = "ui/errors/fragment.html" if partial else "ui/errors/page.html"
    response = HttpResponse(render_to_string(template, context, request=request), status=status)
    response["X-Message"] = iri_to_uri(f"{title}：{message}" if message else title)
    return response


def theme_of(request: HttpRequest) -> str:
    """desk or elder: by the kind of user, or the ``ui`` cookie set by the 长辈版 switch."""
    actor = getattr(request, "actor", None)
    if request.COOKIES.get("ui") == "elder" or (actor and actor.audience.value == "family"):
        return "elder"
    return "desk"


def bad_request(request, exception=None):
    """handler400."""
    return error_response(request, 400)


def permission_denied(request, exception=None):
    """handler403."""
    return error_response(request, 403, exception)


def page_not_found(request, exception=None):
    """handler404: an address that no page has."""
    return error_response(request, 404)


def server_error(request):
    """handler500: an error outside the pages themselves."""
    from .middleware import error_number

    return error_response(request, 500, None, error_number())


def csrf_failure(request, reason=""):
    """CSRF_FAILURE_VIEW: most often a page left open over a new sign-in."""
    response = error_response(request, 403, Expired())
    response["X-Refresh"] = "1"
    return response


class Expired(Exception):
    """The page was opened in an earlier session."""

    @property
    def message(self) -> str:
        return _("This page was opened before you signed in again. Reload it and repeat the step.")
