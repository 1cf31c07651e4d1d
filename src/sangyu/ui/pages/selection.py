"""What a list answers to a chosen act: the question before it, the toast or the page of results after it."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sangyu.kernel.errors import Forbidden, Invalid
from sangyu.ui.models import BulkRow, BulkRun

from . import bulk
from .bulk import Bulk
from .form import dress, error_list, field_kind

#: Key of the built-in act that exports the selection.
EXPORT = "export_rows"
#: Fields of the request that are not the act's own.
_OWN = {"csrfmiddlewaretoken", "bulk", "ids", "all", "sure"}


def selected(page: Any) -> Any:
    """The chosen rows: all of the filter, or those ticked. Never more than the actor sees."""
    data = page.request.POST
    if data.get("all"):
        return page.rows()
    ids = [int(i) for i in data.getlist("ids") if i.isdigit() and len(i) < 19]
    return page.prepared(page.scoped().filter(pk__in=ids))


def answer(page: Any) -> HttpResponse:
    """Run the chosen act on the selection; ask first when it has a form, or when it is about all rows of the filter."""
    data = page.request.POST
    if data.get("bulk") == EXPORT and page.may_export:
        from .export import export_response

        return export_response(page, selected(page))
    act = next((b for b in bulk.acts_of(page) if b.key == data.get("bulk")), None)
    if act is None:
        raise Invalid({"": [_("This action does not exist here.")]})
    if not page.actor.may(act.permission):
        raise Forbidden(act.permission)
    asked = {key: data.getlist(key) for key in data if key not in _OWN}
    if not data.get("sure") and (act.form or data.get("all")):
        return ask(page, act, act.form(None, actor=page.actor) if act.form else None)
    try:
        run = bulk.start(page, act, selected(page), asked)
    except Invalid as error:
        if act.form is None or "" in error.errors:
            raise
        return ask(page, act, act.form(data, actor=page.actor), status=422)
    return result(page, run, act)


def ask(page: Any, act: Bulk, form: Any, *, status: int = 200) -> HttpResponse:
    """The question: the exact number of rows, and what the act wants to know."""
    data = page.request.POST
    count = selected(page).order_by().values("pk").distinct().count()
    if not count:
        raise Invalid({"": [_("Select at least one row.")]})
    fields = [{"field": f, "wide": True, **field_kind(f)} for f in dress(form)] if form is not None else []
    context = page.context(
        act=act,
        count=count,
        question=str(act.confirm).replace("{count}", f"{count:,}"),
        form=form,
        fields=fields,
        errors=error_list(form) if form is not None else [],
        every=bool(data.get("all")),
        ids=[] if data.get("all") else data.getlist("ids"),
        back=page.request.get_full_path(),
    )
    return page.render("ui/list/bulk_ask.html", context, status=status)


def result(page: Any, run: BulkRun, act: Bulk) -> HttpResponse:
    """Back to the list with a toast when all went well; else to the result of each row."""
    results = reverse("ui:bulk", args=[run.pk])
    if run.operation_id:
        return page.redirect(results, _("%(label)s runs in the background.") % {"label": run.label})
    if BulkRow.objects.filter(run=run, state=BulkRow.State.REFUSED).exists():
        return page.redirect(results)
    done = ngettext("%(label)s: %(n)d row done.", "%(label)s: %(n)d rows done.", run.count) % {
        "label": run.label,
        "n": run.count,
    }
    undo = reverse("ui:bulk-undo", args=[run.pk]) if bulk.may_undo(run, act) else ""
    return page.redirect(page.request.get_full_path(), done, undo=undo)
