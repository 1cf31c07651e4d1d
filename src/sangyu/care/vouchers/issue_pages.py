"""Issuing on the screen: say who, look at the preview, then issue."""

from django.core import signing
from django.http import HttpResponse
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.errors import Invalid, Refused
from sangyu.registry.regions import selectors as regions
from sangyu.ui import format as fmt
from sangyu.ui.pages import FormPage

from . import forms, lists, selectors, services

_SALT = "vouchers.issue"
#: Names shown in the preview; the counts are of all.
SHOWN = 200


class IssueVouchers(FormPage):
    """The form; its answer is the preview, which carries the list signed and posts it to IssueConfirm."""

    url, name, permission, title = "issue/", "issue", "vouchers.issue", _("Issue vouchers")
    form_class, parent, submit_label = forms.IssueForm, ("vouchers:list", _("Vouchers")), _("Preview")
    wide, multipart = ("people",), True

    def form_kwargs(self) -> dict:
        return {"actor": self.actor, "day": localdate()}

    def get_initial(self) -> dict:
        return {"day": localdate()}

    def post(self, request, *args, **kwargs) -> HttpResponse:
        form = self.get_form(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            return self.preview(form)
        except Invalid as error:
            for field, found in error.errors.items():
                for message in found:
                    form.add_error(field if field in form.fields else None, str(message))
            return self.show(form, status=422)
        except Refused as error:
            return self.show(form, status=409, refusal=error.message)

    def preview(self, form) -> HttpResponse:
        given = form.cleaned_data
        numbers = lists.numbers_of_text(given["people"])
        if given["file"]:
            numbers += lists.numbers_of_workbook(given["file"])
        found = lists.find(self.actor, numbers)
        programme_id = int(given["programme"])
        if given["again"]:
            found.person_ids += selectors.had_before(self.actor, programme_id, given["day"])
        plan = services.preview_issue(
            actor=self.actor, programme_id=programme_id, person_ids=found.person_ids, day=given["day"]
        )
        order = {
            "programme_id": programme_id,
            "person_ids": [card.id for card in plan.cards],
            "day": given["day"].isoformat(),
            "region_id": given["region"],
            "paper": given["paper"],
        }
        context = self.context(
            plan=plan,
            total=fmt.money(plan.total),
            cards=plan.cards[:SHOWN],
            more=max(plan.count - SHOWN, 0),
            unknown=found.unknown,
            token=signing.dumps(order, salt=_SALT, compress=True),
        )
        template = "vouchers/preview_fragment.html" if self.partial else "vouchers/preview.html"
        response = self.render(template, context)
        response["X-Swap"] = "1"
        return response


class IssueConfirm(FormPage):
    """Takes the signed list of the preview; who comes here otherwise goes back to the form."""

    url, name, permission, title = "issue/confirm/", "issue-confirm", "vouchers.issue", _("Issue vouchers")
    form_class = forms.ReasonForm

    def get(self, request, *args, **kwargs) -> HttpResponse:
        return self.redirect(reverse("vouchers:issue"))

    def post(self, request, *args, **kwargs) -> HttpResponse:
        try:
            order = signing.loads(request.POST.get("token", ""), salt=_SALT, max_age=3600)
        except signing.BadSignature:
            return self.redirect(reverse("vouchers:issue"), gettext("The preview is too old. Please start again."))
        region = regions.region(order["region_id"])
        made = services.issue(
            actor=self.actor,
            programme_id=order["programme_id"],
            person_ids=order["person_ids"],
            day=localdate().fromisoformat(order["day"]),
            region_id=region.pk,
            path=region.path,
            paper=order["paper"],
        )
        words = gettext("%(count)s vouchers issued, %(total)s in all.") % {
            "count": made.count,
            "total": fmt.money(made.total),
        }
        return self.redirect(reverse("vouchers:programme", args=[made.programme_id]), words)
