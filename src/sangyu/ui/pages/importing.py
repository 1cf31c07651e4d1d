"""The import page: upload → match columns → preview with errors per row → commit → rejected rows back as a file."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from django.http import FileResponse, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused

from .base import Page


@dataclass
class ImportField:
    """One column the import understands."""

    key: str
    label: str
    required: bool = False
    hint: str = ""


@dataclass
class RowProblem:
    """Why one row is not taken: the row number of the sheet, the column, what was written (masked), problem and remedy."""

    row: int
    name: str
    column: str
    value: str
    message: str


@dataclass
class ImportState:
    """An import on its way. ``step`` is match, preview, running or done."""

    id: int
    step: str
    file_name: str
    headers: list[str] = field(default_factory=list)
    samples: list[list[str]] = field(default_factory=list)
    matching: dict[str, int | None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)  # rows, new, changed, rejected
    problems: list[RowProblem] = field(default_factory=list)
    operation_id: int | None = None
    result: str = ""


class Importer(Protocol):
    """What an import mechanism offers to the page; every call is one service call in the actor's scope."""

    fields: list[ImportField]

    def upload(self, *, actor: Actor, file: Any) -> int:
        """Store the workbook, guess the matching, return the import's id. Raises Invalid for an unreadable file."""

    def state(self, *, actor: Actor, import_id: int) -> ImportState:
        """Where it stands. Raises NotVisible for another's import."""

    def match(self, *, actor: Actor, import_id: int, matching: dict[str, int | None]) -> None:
        """Fix field → column index (None = not in the file) and check all rows; writes no record."""

    def commit(self, *, actor: Actor, import_id: int) -> None:
        """Write all accepted rows in one transaction (or start the operation that does)."""

    def rejected(self, *, actor: Actor, import_id: int) -> tuple[str, Any]:
        """(file name, open file) with the rejected rows and their reasons."""

    def template_file(self, *, actor: Actor) -> tuple[str, Any]:
        """(file name, open file): an empty workbook to start from."""


class ImportPage(Page):
    """Set ``importer`` (an Importer) and ``back_url``; the steps are addresses of one page: ``?import=<id>``."""

    importer: ClassVar[Any]
    #: Where 完成 goes: a url name.
    back_url: ClassVar[str] = ""
    help_text: ClassVar[str] = ""
    template: ClassVar[str] = "ui/importing/page.html"
    fragment: ClassVar[str] = "ui/importing/step.html"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        state = self.current()
        if request.GET.get("file") == "template":
            name, content = self.importer.template_file(actor=self.actor)
            return FileResponse(content, as_attachment=True, filename=name)
        if state and request.GET.get("file") == "rejected":
            name, content = self.importer.rejected(actor=self.actor, import_id=state.id)
            return FileResponse(content, as_attachment=True, filename=name)
        return self.show(state)

    def post(self, request, *args, **kwargs) -> HttpResponse:
        step = request.POST.get("step", "upload")
        state = self.current()
        try:
            if step == "upload":
                upload = request.FILES.get("file")
                if upload is None:
                    raise Invalid({"file": [_("Choose a workbook (.xlsx, .xls or .csv).")]})
                made = self.importer.upload(actor=self.actor, file=upload)
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
        at = state.step if state else "upload"
        at = "done" if at == "running" else at
        index = [k for k, _label in steps].index(at)
        context = self.context(
            state=state,
            step=at,
            steps=[
                (label, "done" if i < index or at == "done" else "now" if i == index else "")
                for i, (_k, label) in enumerate(steps)
            ],
            match_fields=fields,
            problem=problem,
            importable=(state.counts.get("new", 0) + state.counts.get("changed", 0)) if state else 0,
        )
        response = self.render(self.template, context, status=422 if problem else 200)
        response["X-Swap"] = "1"
        return response
