"""The form page: a plain Form or ModelForm, then one service call. Refusals come back on the form, with what was typed."""

import hashlib
import json
from typing import Any, ClassVar

from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder
from django.forms import BaseForm, BaseModelForm, DateInput, DateTimeInput, HiddenInput
from django.http import HttpResponse
from django.utils.translation import gettext_lazy

from sangyu.kernel.errors import Invalid, Refused
from sangyu.ui import format as fmt

from .base import ObjectMixin, Page

#: Forms with more fields than this keep a draft in the browser.
DRAFT_FIELDS = 10


class FormPage(ObjectMixin, Page):
    """Name one ``service`` and its ``argument``; ``success`` is the toast, ``detail`` (and ``tab``) where next.

    Override ``save(form)`` for a service call of another shape, and ``success_url`` for another way on.

    With ``model`` the page edits the row of its ``pk``: locked while saving, and refused with both values shown when
    somebody else changed a field meanwhile. Without ``model`` it creates.
    """

    form_class: ClassVar[type[BaseForm]]
    success: ClassVar[str] = gettext_lazy("Saved.")
    submit_label: ClassVar[str] = gettext_lazy("Save")
    intro: ClassVar[str] = ""
    #: [(heading, [field names])]; without it all fields stand in one group.
    fieldsets: ClassVar[list[tuple[str, list[str]]]] = []
    #: Fields that take the whole width of the two-column form.
    wide: ClassVar[tuple[str, ...]] = ()
    template: ClassVar[str] = "ui/form/page.html"
    fragment: ClassVar[str] = "ui/form/form.html"
    multipart: ClassVar[bool] = False
    cancel_url: ClassVar[str] = ""

    def save(self, form: BaseForm) -> Any:
        """One service call with ``form.cleaned_data``; returns what ``success_url`` needs."""
        return self.call(form)

    def success_url(self, result: Any) -> str:
        """Where to go after saving: ``detail`` of the row that the page is about, else of the one made."""
        return self.row_url(result if self.object is None else self.object)

    def success_message(self, result: Any) -> str:
        return str(self.success)

    def get_initial(self) -> dict:
        """Values of a new form: a plain Form that edits ``object`` returns its current values here."""
        return {}

    def form_kwargs(self) -> dict:
        """More arguments for the form, such as ``actor``."""
        return {}

    def get_form(self, data=None, files=None) -> BaseForm:
        kwargs = {"initial": self.get_initial(), **self.form_kwargs()}
        if issubclass(self.form_class, BaseModelForm) and self.object is not None:
            kwargs["instance"] = self.object
        return dress(self.form_class(data, files, **kwargs))

    # -- answers
    def get(self, request, *args, **kwargs) -> HttpResponse:
        if self.model is not None:
            self.object = self.get_object()
        return self.show(self.get_form())

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if self.model is not None:
            self.object = self.get_object(lock=True)
        fresh = self.get_form()
        form = self.get_form(request.POST, request.FILES)
        if not form.is_valid():
            return self.show(form, status=422)
        conflict = self.conflict(fresh, form)
        if conflict:
            return self.show(form, status=409, conflict=conflict)
        try:
            result = self.save(form)
        except Invalid as error:
            for field, found in error.errors.items():
                for message in found:
                    form.add_error(field if field in form.fields else None, str(message))
            return self.show(form, status=422)
        except Refused as error:
            return self.show(form, status=409, refusal=error.message)
        return self.redirect(self.next_url(self.success_url(result)), self.success_message(result))

    def show(
        self, form: BaseForm, *, status: int = 200, conflict: list | None = None, refusal: str = ""
    ) -> HttpResponse:
        shown = form if not form.is_bound else self.get_form()
        context = self.context(
            form=form,
            groups=self.groups(form),
            errors=error_list(form),
            conflict=conflict or [],
            refusal=refusal,
            version=self.version(shown) if self.object is not None else "",
            draft=self.draft_key(form),
            next=self.request.POST.get("next") or self.request.GET.get("next", ""),
            cancel=self.next_url(self.get_cancel_url()),
            multipart=self.multipart or form.is_multipart(),
        )
        response = self.render(self.fragment if self.partial else self.template, context, status=status)
        response["X-Swap"] = "1"
        return response

    def get_cancel_url(self) -> str:
        """Where 取消 goes: the last breadcrumb unless ``cancel_url`` is set."""
        crumbs = self.breadcrumbs()
        return self.cancel_url or (crumbs[-1][1] if crumbs else "..")

    def groups(self, form: BaseForm) -> list[dict]:
        """Visible fields in their groups, for the template."""
        named = self.fieldsets or [("", list(form.fields))]
        return [
            {
                "heading": heading,
                "fields": [
                    {"field": form[n], "wide": n in self.wide, **field_kind(form[n])}
                    for n in names
                    if n in form.fields and not isinstance(form.fields[n].widget, HiddenInput)
                ],
            }
            for heading, names in named
        ]

    def draft_key(self, form: BaseForm) -> str:
        """Key of the browser's draft; "" for short forms."""
        return self.request.path if len(form.fields) > DRAFT_FIELDS else ""

    # -- two people at once
    def version(self, form: BaseForm) -> str:
        """What the form showed when it was opened: a signed hash per field, never the values."""
        return signing.dumps({name: _hash(_initial(form, name)) for name in form.fields}, salt="ui.form", compress=True)

    def conflict(self, fresh: BaseForm, form: BaseForm) -> list[dict]:
        """Fields that changed since the form was opened and that the person would overwrite with something else."""
        sent = self.request.POST.get("_version", "")
        if self.object is None or not sent:
            return []
        try:
            opened = signing.loads(sent, salt="ui.form", max_age=14 * 24 * 3600)
        except signing.BadSignature:
            return []
        found = []
        for name in form.fields:
            now, mine = _initial(fresh, name), form.cleaned_data.get(name)
            if opened.get(name) not in (None, _hash(now)) and _hash(now) != _hash(_comparable(mine)):
                found.append(
                    {
                        "label": form[name].label,
                        "theirs": label_of(fresh, name, now),
                        "mine": label_of(form, name, mine),
                    }
                )
        return found


def _initial(form: BaseForm, name: str) -> Any:
    return _comparable(form.get_initial_for_field(form.fields[name], name))


def _comparable(value: Any) -> Any:
    if hasattr(value, "pk"):
        return value.pk
    if hasattr(value, "all") or isinstance(value, (list, tuple, set)):
        return [_comparable(v) for v in (value.all() if hasattr(value, "all") else value)]
    return "" if value is None else value


def _hash(value: Any) -> str:
    raw = json.dumps(value, cls=DjangoJSONEncoder, sort_keys=True, default=str)
    return hashlib.sha256(raw.encode()).hexdigest()[:12]


def label_of(form: BaseForm, name: str, value: Any) -> str:
    """``value`` as the person would read it: the choice's label, or plain text."""
    choices = getattr(form.fields[name], "choices", None)
    if choices is not None:
        for key, label in choices:
            if str(key) == str(_comparable(value)):
                return str(label)
    return fmt.plain(value)


def dress(form: BaseForm) -> BaseForm:
    """Give the widgets their looks: class ``input``, date pickers, numbers on the right."""
    for field in form.fields.values():
        widget = field.widget
        kind = getattr(widget, "input_type", "")
        if kind in ("checkbox", "radio"):
            if not hasattr(widget, "option_template_name"):
                widget.attrs["class"] = "check"
            continue
        if isinstance(widget, DateInput) and kind == "text":
            widget.input_type, widget.format = "date", "%Y-%m-%d"
        if isinstance(widget, DateTimeInput) and kind == "text":
            widget.input_type, widget.format = "datetime-local", "%Y-%m-%dT%H:%M"
        extra = " input--num" if kind == "number" else " input--file" if kind == "file" else ""
        if "input" not in widget.attrs.get("class", "").split():
            widget.attrs["class"] = f"input{extra} {widget.attrs.get('class', '')}".strip()
    return form


def field_kind(bound) -> dict:
    """How a field is drawn: ``check`` for one box, ``set`` for boxes and radios, else ``input``."""
    widget = bound.field.widget
    kind = getattr(widget, "input_type", "")
    multiple = hasattr(widget, "option_template_name") and kind in ("radio", "checkbox")
    return {"kind": "set" if multiple else "check" if kind == "checkbox" else "input"}


def error_list(form: BaseForm) -> list[dict]:
    """All errors with the id of their field, for the summary on top."""
    found = []
    for name, messages in form.errors.items():
        target = form[name].id_for_label or form[name].auto_id if name in form.fields else ""
        found += [{"target": target, "label": form[name].label if target else "", "message": m} for m in messages]
    return found
