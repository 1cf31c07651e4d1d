"""What-ifs as rows: asked, worked out at once or as an operation, shown, saved as a workbook."""

from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sangyu.kernel import operations
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.kernel.services import service
from sangyu.kernel.workbooks import Workbook

from . import budgets, selectors, whatif
from .models import PolicyVersion, Trial

#: More people than this and facts not at hand: the work is an operation with progress.
AT_ONCE = 200_000
#: Trials of one account that are kept.
KEPT = 30
#: People offered for a look by hand.
SAMPLE = 6


@service("policies.edit")
def ask(*, actor: Actor, version_id: int, text: str, against_id: int | None, month: date, seed: int = 0) -> Trial:
    """Try ``text`` in place of version ``against_id`` (None: nothing) from ``month`` on. Answers the trial, with figures or with
    the operation that works them out. Raises PolicyErrors, NotVisible.
    """
    version = selectors.version(actor, version_id)
    against = selectors.version(actor, against_id) if against_id else None
    selectors.read_text(text)
    trial = Trial.objects.create(
        path=actor.path,
        version=version,
        against=against,
        text=text,
        month=month.replace(day=1),
        account_id=actor.account_id,
        actor=actor.name[:100],
    )
    _forget_old(actor)
    asked = whatif.question(actor, version, text, against, month)
    if _many(asked.path) and not whatif.is_warm(actor, asked.path):
        title = _("What-if: %(name)s") % {"name": version.name}
        row = operations.start(actor, "policies.trial", title=title, params={"trial_id": trial.pk, "seed": seed})
        trial.operation_id = row.pk
        trial.save(update_fields=["operation_id"])
        return trial
    return work(actor, trial, seed=seed)


def work(actor: Actor, trial: Trial, *, seed: int = 0, advance=lambda n: None) -> Trial:
    """Work ``trial`` out and keep its figures."""
    asked = whatif.question(actor, trial.version, trial.text, trial.against, trial.month)
    answer = whatif.run(actor, asked, advance)
    trial.figures = answer.figures | {
        "sample": [_kept(row) for row in whatif.sample(answer, SAMPLE, seed)],
        "seed": seed,
    }
    trial.save(update_fields=["figures"])
    return trial


def _kept(row: dict[str, Any]) -> dict[str, Any]:
    """Of a sampled subject only the number, the amounts and the rows of the tables."""
    return {name: row[name] for name in ("subject_id", "before", "after", "before_row", "after_row", "change")}


def _many(path: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) > %s FROM (SELECT 1 FROM people_person WHERE path >= %s AND path < %s || '~' LIMIT %s) p",
            [AT_ONCE, path, path, AT_ONCE + 1],
        )
        return cursor.fetchone()[0]


def _forget_old(actor: Actor) -> None:
    own = Trial.objects.filter(account_id=actor.account_id, actor=actor.name[:100]).order_by("-id")
    Trial.objects.filter(pk__in=list(own.values_list("pk", flat=True)[KEPT:])).delete()


def find(actor: Actor, pk: int, version: PolicyVersion | None = None) -> Trial:
    """One's own trial. Raises NotVisible."""
    rows = Trial.objects.visible_to(actor).filter(pk=pk, account_id=actor.account_id, actor=actor.name[:100])
    rows = rows.filter(version=version) if version is not None else rows
    found = rows.select_related("version__region", "against").first()
    if found is None:
        raise NotVisible
    return found


def workbook(actor: Actor, trial: Trial) -> bytes:
    """The figures of ``trial`` as xlsx: summary, a sheet a table, the text."""
    book = Workbook()
    bold, money = book.bold, book.money
    figures = trial.figures or {}
    sheet = book.add_worksheet(_("Summary"))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 3, 20)
    head = [
        (_("Policy"), str(trial.version)),
        (_("Compared with"), str(trial.against) if trial.against else _("nothing: the rule is new")),
        (_("Region"), actor.region_name),
        (_("Month worked out"), figures.get("month", "")),
        (_("Facts as of"), figures.get("read_at", "")),
        (_("Prepared by"), f"{trial.actor} {timezone.localtime(trial.created_at):%Y-%m-%d %H:%M}"),
    ]
    for n, (label, value) in enumerate(head):
        sheet.write(n, 0, label, bold)
        sheet.write(n, 1, value)
    _table(sheet, len(head) + 1, [figures.get("total", {}) | {"label": _("In all")}], bold, money)
    for key, title in (("places", _("By area")), ("ages", _("By age")), ("levels", _("By payment level"))):
        if figures.get(key):
            _table(book.add_worksheet(title), 0, figures[key], bold, money)
    if funds := [f for f in figures.get("funds", ()) if "missing" not in f]:
        _funds(book.add_worksheet(_("Fund sources")), funds, bold, money)
    text = book.add_worksheet(_("Text"))
    text.set_column(0, 0, 100)
    for n, line in enumerate(trial.text.splitlines()):
        text.write_string(n, 0, line)
    return book.content()


def _funds(sheet, funds: list[dict], bold, money) -> None:
    """A fund under the other: its year in yuan, today and then."""
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 3, 20)
    at = 0
    for fund in funds:
        heads = [fund["name"], _("Yuan today"), _("Yuan then"), pgettext("policies", "Change")]
        for n, head in enumerate(heads):
            sheet.write_string(at, n, head, bold)
        for row in budgets.told(fund):
            at += 1
            sheet.write_string(at, 0, row.label)
            for n, fen in enumerate((row.before, row.after, row.change), start=1):
                sheet.write_number(at, n, fen / 100, money)
        if shares := budgets.shares(fund):
            at += 1
            sheet.write_string(at, 0, _("Share of elder care in what came in (%)"))
            for n, share in enumerate(shares, start=1):
                sheet.write_number(at, n, share)
        if fund["document"]:
            at += 1
            sheet.write_string(at, 0, _("Document of the budget"))
            sheet.write_string(at, 1, fund["document"])
        at += 2


def _table(sheet, top: int, rows: list[dict], bold, money) -> None:
    columns = [
        ("label", ""), ("before_people", _("People today")), ("after_people", _("People then")),
        ("before_year", _("Yuan a year today")), ("after_year", _("Yuan a year then")), ("more", _("Get more")),
        ("less", _("Get less")), ("begin", _("Begin")), ("stop", _("Stop")),
    ]  # fmt: skip
    sheet.set_column(0, 8, 18)
    for n, (_key, label) in enumerate(columns):
        sheet.write(top, n, label, bold)
    for at, row in enumerate(rows, top + 1):
        for n, (key, _label) in enumerate(columns):
            value = row.get(key, 0)
            if key == "label":
                sheet.write_string(at, n, str(value or _("unknown")))
            elif key.endswith("_year"):
                sheet.write_number(at, n, value / 100, money)
            else:
                sheet.write_number(at, n, value)
