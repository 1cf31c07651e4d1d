"""The tab 补贴: what every policy of the area says about the person, what was paid, applications, holds, forms, account (X-06)."""

from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.care.applications import selectors as applications
from sangyu.care.applications.enums import OPEN, State
from sangyu.care.benefits import selectors as benefits
from sangyu.care.benefits.enums import LineKind, RunState
from sangyu.kernel.actor import Audience

from .file import File


def month_of(page) -> date:
    """The month asked about (``?month=2026-10``), today's when none or a wrong one is."""
    asked = page.request.GET.get("month", "")
    try:
        year, month = asked.split("-")
        return date(int(year), int(month), 1)
    except ValueError:
        return page.file.today.replace(day=1)


def subsidies(page) -> dict:
    """Verdicts, lines, and what stands beside the person; for family accounts what their consent shows."""
    file, month = page.file, month_of(page)
    policies = policies_of(file, month)
    names = {p["verdict"].code: p["verdict"].name for p in policies}
    payments = payments_of(file.actor, file.person.pk, 36)
    for p in payments:
        p.policy_name = names.get(p.policy, p.policy)
    return {
        "month": month,
        "policies": policies,
        "payments": payments,
        "recoveries": recoveries_of(file.actor, file.person.pk),
        "applications": list(applications.applications_of(file.actor, file.person.pk)),
        "objections": list(applications.objections_of(file.actor, file.person.pk)),
        "holds": list(applications.holds_of(file.actor, file.person.pk)),
        "deliveries": list(applications.deliveries_of(file.actor, file.person.pk)),
        "payees": applications.payees_of(file.actor, file.person.pk) if file.actor.may("applications.payees") else [],
        "acts": acts(file),
    }


def lines_of(actor, person_id: int, month: date) -> dict[str, object]:
    """Policy code → the line of the month's run; the person's own eyes see released ones, and no run."""
    rows = benefits.lines_of(actor, person_id).filter(month=month, kind=LineKind.ENTITLEMENT)
    if actor.audience is Audience.FAMILY:
        return {line.policy: line for line in rows.select_related(None)}
    return {line.policy: line for line in rows if line.run.state != RunState.CANCELLED}


def payments_of(actor, person_id: int, most: int) -> list:
    """The latest payments, each with its line."""
    return list(benefits.payments_of(actor, person_id).select_related(None).select_related("line")[:most])


def recoveries_of(actor, person_id: int) -> list:
    rows = benefits.recoveries(actor).filter(subject_kind="person", subject_id=person_id)
    return list(rows.select_related(None).order_by("-id"))


def policies_of(file: File, month: date) -> list[dict]:
    """Each policy with its verdict, the line of the month's run when there is one, and the application in hand."""
    lines = lines_of(file.actor, file.person.pk, month)
    held = applications.holds_of(file.actor, file.person.pk).on(month)
    stopped = {h.policy_code for h in held}
    asked: dict[str, object] = {}
    for row in applications.applications_of(file.actor, file.person.pk):
        if row.state in (*OPEN, State.APPROVED, State.REFUSED):
            asked.setdefault(row.policy_code, row)
    found = applications.verdicts(file.person, month)
    names = {v.code: v.name for v in found}
    return [
        {
            "verdict": v,
            "line": (line := lines.get(v.code)),
            "application": asked.get(v.code),
            "held": bool(stopped & {"", v.code}),
            "winner": names.get(line.winner, line.winner) if line else "",
            "state": _state(v, line, asked.get(v.code), bool(stopped & {"", v.code})),
        }
        for v in found
    ]


#: Why a line that is met pays nothing, as the engine says it.
_STACKED = {
    "excluded": gettext_lazy("Met, another one is paid"),
    "lower": gettext_lazy("Met, another one is paid"),
    "topped": gettext_lazy("Met, another one is paid"),
    "paid": gettext_lazy("Paid already for this time"),
    "unmatched": gettext_lazy("Met, no amount fits"),
}


def _state(verdict, line, application, held: bool) -> tuple[str, str]:
    """(tone, words) of the status beside a policy."""
    if held:
        return "warn", _("Stopped")
    if line is not None and line.amount > 0:
        return "ok", _("In this month's run")
    if line is not None and line.stacked:
        return "mute", str(_STACKED.get(line.stacked, line.stacked))
    if not verdict.due:
        return "mute", _("Not due in this month")
    if verdict.met:
        return "ok", _("Met")
    if application is not None and application.state in OPEN:
        return "info", _("Application in review")
    return "mute", _("Not met")


def acts(file: File) -> list[tuple[str, str]]:
    """(address, words) of what staff may do here."""
    offered = [
        ("applications:new", _("New application"), "applications.apply"),
        ("applications:object", _("Object"), "applications.apply"),
        ("applications:hold", _("Stop payments"), "applications.hold"),
        ("applications:delivery", _("Change the form"), "applications.hold"),
        ("applications:payee-new", _("Propose an account"), "applications.payee_propose"),
    ]
    if not file.staff:
        return []
    return [(reverse(url, args=[file.person.pk]), words) for url, words, p in offered if file.actor.may(p)]
