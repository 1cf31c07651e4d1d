"""The action page: one service call on one row. GET asks (in a dialog, or as a page without scripts), POST acts."""

from typing import ClassVar

from django.forms import BaseForm, Form
from django.http import HttpResponse
from django.utils.translation import gettext_lazy

from sangyu.kernel.errors import Invalid, Refused

from .base import ObjectMixin, Page
from .form import dress, error_list, field_kind


class ActionPage(ObjectMixin, Page):
    """Name one ``service`` and its ``argument``; ``success`` is the toast, ``detail`` (and ``tab``) where next.

    Override ``act(form)`` for a service call of another shape: return the toast's words, or an HttpResponse to answer
    otherwise.

    ``confirm`` (or ``confirm_text()``) names the object and the amount; only irreversible or money acts have one, others
    offer ``undo_url()``. ``form_class`` asks for more (a reason). ``irreversible`` colours the button.
    """

    form_class: ClassVar[type[BaseForm]] = Form
    confirm: ClassVar[str] = ""
    success: ClassVar[str] = gettext_lazy("Done.")
    submit_label: ClassVar[str] = gettext_lazy("Confirm")
    irreversible: ClassVar[bool] = False
    template: ClassVar[str] = "ui/action/page.html"
    fragment: ClassVar[str] = "ui/action/dialog.html"

    def act(self, form: BaseForm) -> str | HttpResponse:
        """One service call on ``self.object``; ``form.cleaned_data`` holds what was asked."""
        self.call(form)
        return str(self.success)

    def confirm_text(self) -> str:
        """The question: what happens, to whom, how much."""
        return str(self.confirm)

    def success_url(self) -> str:
        """Where to go without scripts, and after a dialog that does not stay: ``detail`` of the row, else the last breadcrumb."""
        if self.detail:
            return self.row_url(self.object)
        crumbs = self.breadcrumbs()
        return crumbs[-1][1] if crumbs else "/"

    def undo_url(self) -> str:
        """Address that takes the act back (an ActionPage without confirmation); "" = none."""
        return ""

    def get_initial(self) -> dict:
        return {}

    def form_kwargs(self) -> dict:
        return {}

    def get_title(self) -> str:
        return str(self.title or self.submit_label)

    # -- answers
    def get(self, request, *args, **kwargs) -> HttpResponse:
        self.object = self.get_object() if self.model is not None else None
        return self.show(dress(self.form_class(initial=self.get_initial(), **self.form_kwargs())))

    def post(self, request, *args, **kwargs) -> HttpResponse:
        self.object = self.get_object(lock=True) if self.model is not None else None
        form = dress(self.form_class(request.POST, request.FILES, initial=self.get_initial(), **self.form_kwargs()))
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            done = self.act(form)
        except Invalid as error:
            for field, found in error.errors.items():
                for message in found:
                    form.add_error(field if field in form.fields else None, str(message))
            return self.show(form, status=422)
        except Refused as error:
            if self.partial and not form.fields and not self.confirm_text():
                raise
            return self.show(form, status=409, refusal=error.message)
        if isinstance(done, HttpResponse):
            return done
        undo = self.undo_url()
        if self.partial and not self.leaves:
            return self.toast(done or "", undo=undo)
        return self.redirect(self.next_url(self.success_url()), done or "", undo=undo)

    #: True when the page behind the dialog is no longer right (the row is gone): go to ``success_url`` instead.
    leaves: ClassVar[bool] = False

    def show(self, form: BaseForm, *, status: int = 200, refusal: str = "") -> HttpResponse:
        context = self.context(
            form=form,
            fields=[{"field": form[n], "wide": True, **field_kind(form[n])} for n in form.fields],
            errors=error_list(form),
            refusal=refusal,
            question=self.confirm_text(),
            next=self.request.POST.get("next") or self.request.GET.get("next", ""),
            cancel=self.next_url(self.success_url()),
            action=self.request.path,
        )
        response = self.render(self.fragment if self.partial else self.template, context, status=status)
        response["X-Swap"] = "1"
        return response
