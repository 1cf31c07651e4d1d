"""One translation of every refusal into an answer for the screen (kernel.errors → HTTP)."""

import logging
import secrets

from django.contrib import messages
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import transaction
from django.http import Http404, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from sangyu.kernel.errors import Forbidden, NotVisible, Replaced, SangyuError
from sangyu.kernel.scoping import current_actor

from .answers import describe, error_response

log = logging.getLogger("sangyu.pages")


class Answers:
    """Turns what a service or page raises into the answer for the screen; nothing of the request is kept."""

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        """403, 404, 409 or 422 for known refusals; 500 with a number for the rest."""
        if isinstance(exception, Replaced) and (there := self.replaced(request, exception)):
            return there
        if isinstance(exception, (Http404, NotVisible)):
            status, error = 404, exception
        elif isinstance(exception, (Forbidden, PermissionDenied)):
            status, error = 403, exception
        elif isinstance(exception, SangyuError):
            status, error = exception.status, exception
        elif isinstance(exception, SuspiciousOperation):
            status, error = 400, exception
        else:
            status, error = 500, exception
        if current_actor() is not None:  # the request's scope is still open around us
            transaction.set_rollback(True)
        number = ""
        if status == 500:
            number = error_number()
            log.exception("error %s at %s", number, request.path, exc_info=exception)
        if request.path_info.startswith("/api/"):
            title, message = describe(status, error)
            code = getattr(error, "code", "") or f"error_{status}"
            content = {"code": code, "message": message or title, "errors": {}}
            if isinstance(exception, Replaced):
                content["into"] = exception.into
            return JsonResponse(content | ({"number": number} if number else {}), status=status)
        return error_response(request, status, error, number)

    def replaced(self, request, exception: Replaced):
        """The same page of the row that took the place of this one, with a word about it; None when it cannot be asked so."""
        match = request.resolver_match
        if request.method != "GET" or match is None or match.kwargs.get("pk") != exception.gone:
            return None
        if request.path_info.startswith("/api/"):
            return None
        messages.info(request, _("This file was merged into the one you see now."))
        url = reverse(match.view_name, kwargs={**match.kwargs, "pk": exception.into})
        return HttpResponseClientRedirect(url) if getattr(request, "htmx", False) else HttpResponseRedirect(url)


def error_number() -> str:
    """A number a person can read out on the phone: E-20261015-7F3A9C."""
    return f"E-{timezone.localtime():%Y%m%d}-{secrets.token_hex(3).upper()}"
