"""The import page: upload → match columns → preview with errors per row → commit → rejected rows back as a file."""

from typing import ClassVar

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sangyu.kernel.errors import Invalid, Refused
from sangyu.kernel.importing.importer import Importer
from sangyu.kernel.importing.services import ImportState

from .base import Link, Page
from .file import file_answer

#: Steps at work in the background, and the step of the page under which their progress is shown.
BUSY = {"read": "match", "check": "preview", "running": "done"}


class ImportPage(Page):
    """Set ``importer`` (``Importer("people.roster")``) and ``back_url``; the steps are addresses of one page: ``?import=<id>``."""

    importer: ClassVar[Importer]
    #: Where 完成 goes: a url name.
    back_url: ClassVar[str] = ""
    #: Where rows that are held for a decision are settled: a url name.
    held_url: ClassVar[str] = ""
    help_text: ClassVar[str] = ""
    template: ClassVar[str] = "ui/importing/page.html"
    fragment: ClassVar[str] = "ui/importing/step.html"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        state = self.current()
        if request.GET.get("file") == "template":
            name, content = self.importer.template_file(actor=self.actor)
            return file_answer(content, name)
        if state and request.GET.get("file") == "rejected":
            name, content = self.importer.rejected(actor=self.actor, import_id=state.id)
            return file_answer(content, name)
        return self.show(state)

    def post(self, request, *args, **kwargs) -> HttpResponse:
        step = request.POST.get("step", "upload")
        state = self.current()
        try:
            if step == "upload":
                upload = request.FILES.get("file")
                if upload is None:
                    raise Invalid({"file": [_("Choose a workbook (.xlsx, .xls or .csv).")]})
                made = self.importer.upload(
                    actor=self.actor,
                    file=upload,
                    source=request.POST.get("source", ""),
                    settings={o.key: request.POST.get(o.key, "") for o in self.importer.options},
                )
                return self.redirect(f"{request.path}?import={made}")
            if state is None:
                raise Invalid({"": [_("Upload the workbook again.")]})
            if step == "match":
                chosen = {f.key: request.POST.get(f"column_{f.key}", "") for f in self.importer.fields}
                matching = {k: int(v) if v.isdigit() else None for k, v in chosen.items()}
                missing = [f for f in self.importer.fields if f.required and matching[f.key] is None]
                if missing:
                    raise Invalid(
                        {
                            f"column_{f.key}": [_("Choose the column for “%(label)s”.") % {"label": f.label}]
                            for f in missing
                        }
                    )
                self.importer.match(actor=self.actor, import_id=state.id, matching=matching)
            elif step == "cancel":
                self.importer.cancel(actor=self.actor, import_id=state.id)
            elif step == "commit":
                self.importer.commit(actor=self.actor, import_id=state.id)
        except Invalid as error:
            return self.show(state, error)
        except Refused as error:
            return self.show(state, Invalid({"": [error.message]}))
        return self.redirect(f"{request.path}?import={state.id}")

    def current(self) -> ImportState | None:
        """The import named in the address."""
        wanted = self.request.GET.get("import") or self.request.POST.get("import") or ""
        return self.importer.state(actor=self.actor, import_id=int(wanted)) if wanted.isdigit() else None

    def links(self) -> list[Link]:
        return [Link(_("Held rows"), self.held_url, "clip", query="?state=open")] if self.held_url else []

    def done_url(self, state: ImportState) -> str:
        """Where the button of a finished import leads."""
        return reverse(self.back_url) if self.back_url else ""

    def show(self, state: ImportState | None, problem: Invalid | None = None) -> HttpResponse:
        fields = []
        if state and state.step == "match":
            for f in self.importer.fields:
                at = state.matching.get(f.key)
                sample = state.samples[0][at] if state.samples and at is not None and at < len(state.samples[0]) else ""
                fields.append(
                    {
                        "field": f,
                        "column": at,
                        "sample": sample,
                        "errors": (problem.errors if problem else {}).get(f"column_{f.key}", []),
                    }
                )
        steps = [
            ("upload", pgettext("ui", "Upload")),
            ("match", _("Match columns")),
            ("preview", pgettext("ui", "Check")),
            ("done", pgettext("ui", "Done")),
        ]
        step = state.step if state else "upload"
        busy = step if step in BUSY else ""
        at = BUSY.get(step, step)
        index = [k for k, _label in steps].index(at)
        context = self.context(
            state=state,
            step=at,
            busy=busy,
            operation=self.importer.progress(actor=self.actor, import_id=state.id) if state and busy else None,
            steps=[
                (label, "done" if i < index or step == "done" else "now" if i == index else "")
                for i, (_k, label) in enumerate(steps)
            ],
            match_fields=fields,
            problem=problem,
            importable=state.importable if state else 0,
            options=[] if at != "upload" else [(o, self.request.POST.get(o.key, "")) for o in self.importer.options],
            sources=self.importer.sources(actor=self.actor) if at == "upload" and self.importer.has_source else None,
            held_url=reverse(self.held_url) if self.held_url and state and state.counts.get("held") else "",
            done_url=self.done_url(state) if step == "done" else "",
        )
        response = self.render(self.template, context, status=422 if problem else 200)
        response["X-Swap"] = "1"
        return response
