"""Sheets that were filled on paper or in a workbook: one elder a line, a column per question (R-022)."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.engines.questionnaire import Question
from sangyu.kernel.errors import BadValue
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Fate, Field, Import, Option, Row, register
from sangyu.registry.people.fields import who_columns, who_of

from . import sheets
from .enums import Action, CampaignState, TaskState
from .models import Campaign, Task
from .services._shared import log_many
from .services.filling import checked, handed_in

#: The sheet of the template, before a campaign is named.
DEFAULT = "difficult-elders"


def answer(question: Question) -> Callable[[Any], Any]:
    """Reader of one column: the words of the options, several with 、 between, or the plain value."""
    by_word = {o.text: o.value for o in question.options} | {o.value: o.value for o in question.options}

    def parse(cell: Any) -> Any:
        written = parsers.text_of(cell).strip()
        if question.kind == "choice":
            if written not in by_word:
                raise BadValue(
                    _("Write one of: %(words)s.") % {"words": "、".join(o.text for o in question.options)},
                    code="answer",
                )
            return by_word[written]
        if question.kind == "several":
            words = [w for w in written.replace(",", "、").replace("，", "、").split("、") if w.strip()]
            if any(w.strip() not in by_word for w in words):
                raise BadValue(
                    _("Write some of: %(words)s.") % {"words": "、".join(o.text for o in question.options)},
                    code="answer",
                )
            return [by_word[w.strip()] for w in words]
        return parsers.day(cell).isoformat() if question.kind == "day" else written

    return parse


@register
class SheetImport(Import):
    """Filled sheets of one campaign. Each good line is handed in and waits for confirmation, as if filled on a phone."""

    kind = "screening.sheets"
    title = gettext_lazy("Filled screening sheets")
    permission = "screening.import"

    @classmethod
    def options(cls) -> Sequence[Option]:
        return (
            Option(
                "campaign", _("Number of the campaign"), parser=_number, hint=_("For example PC20261101-210802-0001.")
            ),
        )

    @property
    def campaign(self) -> Campaign | None:
        if "_campaign" not in self.__dict__:
            number = self.settings.get("campaign", "").strip()
            rows = Campaign.objects.select_related("version")
            self._campaign = rows.filter(number=number).first() if number else None
        return self._campaign

    def describe(self) -> Sequence[Field]:
        sheet = self.campaign.version.sheet if self.campaign else sheets.shipped()[DEFAULT][0]
        return (
            *who_columns(self.today),
            Field("visited_on", _("Visited on"), parsers.day, ("走访日期", "入户日期", "填写日期"), required=True),
            *(
                Field(
                    f"q_{q.code}", q.text, answer(q), (q.code,),
                    choices=tuple(o.text for o in q.options) if q.kind == "choice" else (),
                )
                for q in sheet.questions.values()
            ),
        )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        campaign = self.campaign
        if campaign is None or campaign.state != CampaignState.OPEN:
            for row in rows:
                row.refuse("name", _("There is no campaign of this number under way."), "campaign")
            return
        found = who_of(rows, alive=False, named=False)
        tasks = {
            t.person_id: t for t in Task.objects.filter(campaign=campaign, person_id__in=[p.id for p in found.values()])
        }
        first: dict[tuple[str, Any], int] = {}
        now = timezone.now()
        for row in rows:
            if row.problems:
                continue
            task = tasks.get(found[row.number].id)
            if task is None:
                row.refuse("name", _("This elder is not on the campaign's list. Add the elder first."), "target")
                continue
            if task.person_name != row.values["name"]:
                row.refuse("name", _("The list calls this person otherwise."), "disagrees")
            row.once(first, name=task.person_id)
            if task.state not in (TaskState.WAITING, TaskState.MISSED):
                row.fate = Fate.UNCHANGED
                continue
            task.campaign = campaign
            given = {k[2:]: v for k, v in row.values.items() if k.startswith("q_")}
            kept, errors = checked(task, given, row.values["visited_on"], True, now)
            for code, words in errors.items():
                row.refuse(code if code == "visited_on" else f"q_{code}", words[0], "answer")
            row.known = (task, kept)

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        now, made = timezone.now(), []
        by_state: dict[str, list[Task]] = {}
        for row in rows:
            if row.fate != Fate.NEW or row.known is None:
                continue
            task, kept = row.known
            by_state.setdefault(task.state, []).append(task)
            columns = handed_in(self.actor, task, kept, row.values["visited_on"], now)
            for name, value in {**columns, "state": TaskState.FILLED}.items():
                setattr(task, name, value)
            made.append(task)
        if made:
            Task.objects.bulk_update(made, [*columns, "state"], batch_size=500)
        for source, own in by_state.items():
            log_many(own, self.actor, now, Action.FILL, source, TaskState.FILLED, str(batch.origin)[:300])
        advance(len(rows))
        return {}


def _number(written: str) -> str:
    if not Campaign.objects.filter(number=written.strip(), state=CampaignState.OPEN).exists():
        raise BadValue(_("There is no campaign of this number under way."), code="campaign")
    return written.strip()
