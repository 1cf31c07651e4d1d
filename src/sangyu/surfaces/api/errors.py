"""One schema for every answer that is not a result, on every operation (kernel.errors)."""

import logging
from functools import cache
from typing import Any

from django.db import DataError, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation

from sangyu.kernel.errors import BadValue, Forbidden, Invalid, SangyuError
from sangyu.kernel.permissions import all_permissions

log = logging.getLogger("sangyu.api")

#: Refusals that every operation declares.
REFUSALS = frozenset({400, 401, 403, 404, 409, 422})
_CODES = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}


class Error(Schema):
    """``code`` is for programs and never changes; ``message`` is for people, in the language of the request.

    ``errors`` maps a field to what is wrong with it ("" stands for the whole request); only with 422.
    """

    code: str
    message: str
    errors: dict[str, list[str]] = {}


def _answer_model(self: Operation, out: Any, make=Operation._create_response_model) -> type[Schema] | None:
    """ninja builds a model of the answer for each status of each operation: a thousand times ``Error``, half a second of a start."""
    return _refusal(make) if out is Error else make(self, out)


@cache
def _refusal(make) -> type[Schema]:
    return make(None, Error)


Operation._create_response_model = _answer_model


def body(code: str, message: str, errors: dict[str, list[str]] | None = None) -> dict:
    """The content of a refusal."""
    return {"code": code, "message": str(message), "errors": errors or {}}


def not_found() -> dict:
    """What is answered for what does not exist and for what lies outside the scope alike."""
    return body("not_found", _("It does not exist, or it lies outside the area you are signed in for."))


def install(api: NinjaAPI) -> None:
    """Translate what services, Django and the parser raise."""

    def answer(request: HttpRequest, status: int, content: dict) -> HttpResponse:
        return api.create_response(request, content, status=status)

    @api.exception_handler(SangyuError)
    def refused(request, error):
        if error.status == 404:
            return answer(request, 404, not_found())
        message = error.message or str(error)
        if isinstance(error, Forbidden):
            label = all_permissions().get(error.permission, error.permission)
            message = _("This needs the permission “%(label)s”.") % {"label": label}
        errors = {k: [str(m) for m in v] for k, v in error.errors.items()} if isinstance(error, Invalid) else {}
        return answer(request, error.status, body(error.code, message, errors))

    @api.exception_handler(BadValue)
    def bad_value(request, error):
        return answer(request, 422, body(error.code, error.message, {"": [error.message]}))

    @api.exception_handler(ValidationError)
    def unreadable(request, error):
        found: dict[str, list[str]] = {}
        for one in error.errors:
            name = ".".join(str(part) for part in one["loc"] if part not in ("body", "query", "path", "data"))
            found.setdefault(name, []).append(one["msg"])
        return answer(request, 422, body("invalid", _("The input does not fit the schema of the operation."), found))

    @api.exception_handler(HttpError)
    def http_error(request, error):
        return answer(request, error.status_code, body(_CODES.get(error.status_code, "refused"), error.message))

    @api.exception_handler(Http404)
    def missing(request, error):
        return answer(request, 404, not_found())

    @api.exception_handler(IntegrityError)
    def against_a_rule(request, error):
        log.warning("refused by the database at %s: %s", request.path, error)
        return answer(request, 409, body("conflict", _("This contradicts what is stored. Reload and try again.")))

    @api.exception_handler(DataError)
    def out_of_range(request, error):
        log.warning("out of range at %s: %s", request.path, error)
        return answer(request, 422, body("invalid", _("A value is too large or cannot be stored.")))
