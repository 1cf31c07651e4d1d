"""The tab 补贴: what every policy of the area says about the person, what was paid, applications, holds, forms, account (X-06)."""

from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _

from sangyu.care.applications import selectors as applications
from sangyu.care.applications.enums import OPEN, State
from sangyu.care.benefits.selectors import of_person as benefits

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
    payments = list(benefits.payments_of_person(file.actor, file.person.pk)[:36])
    for p in payments:
        p.policy_name = names.get(p.policy, p.policy)
    return {
        "month": month,
        "policies": policies,
        "payments": payments,
        "recoveries": list(benefits.recoveries_of_person(file.actor, file.person.pk)),
        "applications": list(applications.applications_of(file.actor, file.person.pk)),
        "objections": list(applications.objections_of(file.actor, file.person.pk)),
        "holds": list(applications.holds_of(file.actor, file.person.pk)),
        "deliveries": list(applications.deliveries_of(file.actor, file.person.pk)),
        "payees": applications.payees_of(file.actor, file.person.pk) if file.actor.may("applications.payees") else [],
        "acts": acts(file),
    }


def policies_of(file: File, month: date) -> list[dict]:
    """Each policy with its verdict, the line of the month's run when there is one, and the application in hand."""
    lines = {line.policy: line for line in benefits.lines_of_person(file.actor, file.person, month)}
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


def _state(verdict, line, application, held: bool) -> tuple[str, str]:
    """(tone, words) of the status beside a policy."""
    if held:
        return "warn", _("Stopped")
    if line is not None and line.amount > 0:
        return "ok", _("In this month's run")
    if line is not None and line.stacked:
        return "mute", _("Met, another one is paid")
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
