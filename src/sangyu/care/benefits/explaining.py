""" "Why this amount, why not": from a line's stored facts and its policy version, through the engine that paid (R-068, X-06)."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from sangyu.care.applications import selectors as applications
from sangyu.care.policies import selectors as policies
from sangyu.engines.policy import FORMULA, Period, Policy, Step, trace
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible
from sangyu.ui import format as fmt

from .enums import Change, Form, LineKind, LineState, SubjectKind
from .models import Deduction, Line, Recall

_CONDITIONS = ("starts", "stops", "who")


@dataclass(frozen=True)
class Fact:
    """One value that was read: its name and value in words, and the rows it came from (table, row id)."""

    name: str
    label: str
    value: str
    rows: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Explanation:
    """A line in words. ``sentence`` says it in one go; ``steps`` what the policy asked; ``changes`` what differs from last time."""

    sentence: str
    steps: list[Step]
    facts: list[Fact]
    changes: list[tuple[str, str, str]]
    policy_name: str
    document: str
    clause: str
    version: Any = None

    @property
    def failed(self) -> Step | None:
        """The first condition that does not hold."""
        return next((s for s in self.steps if s.part in _CONDITIONS and s.value is not True), None)


def explain(actor: Actor, line: Line, *, sources: bool = True) -> Explanation:
    """Why ``line`` is what it is. Call inside the scope; the facts are those stored with the line, not today's."""
    try:
        version = policies.version(actor, line.version_id)
    except NotVisible:  # a version entered by hand, or one of a region out of sight
        parts = (_head(line, line.policy), _stacking(line), _recalled(line), _deducted(line))
        said = "；".join(s for s in parts if s)
        return Explanation(said, [], _plain(line), changes_of(line), line.policy, "", "")
    policy = policies.policy_of(version)
    typed = typed_facts(line.facts)
    period = Period.month(line.month.year, line.month.month)
    steps = trace(policy, typed, period) if policy.due(line.month) else []
    return Explanation(
        sentence=_sentence(line, policy, steps),
        steps=steps,
        facts=_facts(line, policy, sources),
        changes=changes_of(line),
        policy_name=policy.name,
        document=str(version.document or policy.document.number),
        clause=version.clause,
        version=version,
    )


def typed_facts(stored: dict[str, Any]) -> dict[str, Any]:
    """Stored values as the engine reads them: days are dates again."""
    words, found = policies.vocabulary(), {}
    for name, value in stored.items():
        term = words.term(name)
        is_day = value is not None and (name in ("from", "to") or (term is not None and term.kind == "date"))
        found[name] = date.fromisoformat(value) if is_day else value
    if "stretches" in stored:
        last = stored["stretches"][-1]
        found |= {k: date.fromisoformat(last[k]) for k in ("from", "to")}
    return found


def _word(name: str, value: Any) -> str:
    """A stored value in words."""
    if value is None:
        return _("unknown")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    term = policies.vocabulary().term(name)
    if term is not None and term.kind == "fen":
        return fmt.money(value)
    return str(term.values.get(str(value), value)) if term is not None else str(value)


def _label(name: str) -> str:
    term = policies.vocabulary().term(name)
    return str(term.label) if term is not None else name


def _plain(line: Line) -> list[Fact]:
    return [Fact(n, _label(n), _word(n, v)) for n, v in line.facts.items() if n != "stretches"]


def _facts(line: Line, policy: Policy, sources: bool) -> list[Fact]:
    found = _plain(line)
    reading = policy.reading(line.month)
    if not sources or reading is None:
        return found
    subject = policy.subject
    names = [f.name for f in found if f.name not in ("from", "to")]
    day = reading.day or reading.period.last
    rows = policies.fact_rows(
        subject, [(line.subject_id, n) for n in names], day, line.run.known_at, policy=policy.code
    )
    return [Fact(f.name, f.label, f.value, rows.get((line.subject_id, f.name), [])) for f in found]


def changes_of(line: Line) -> list[tuple[str, str, str]]:
    """(what, then, now) against the last run or, for an earlier month, against what was released for it."""
    words = {"in_force": _("in force"), "ended": _("ended")}
    special = {"policy": _("Policy"), "region": _("Responsible region")}
    return [
        (special[name], words.get(then, then), words.get(now, now))
        if name in special
        else (_label(name), _word(name, then), _word(name, now))
        for name, (then, now) in (line.reason or {}).items()
        if name != "stretches"
    ]


def _head(line: Line, name: str) -> str:
    month = f"{line.month:%Y-%m}"
    if line.kind == LineKind.ENTITLEMENT:
        return f"{month} {name}：{fmt.money(line.amount)}"
    return _("%(month)s %(policy)s: due %(computed)s, released %(before)s, difference %(amount)s") % {
        "month": month, "policy": name, "computed": fmt.money(line.computed), "before": fmt.money(line.before),
        "amount": fmt.money(line.amount),
    }  # fmt: skip


def _sentence(line: Line, policy: Policy, steps: list[Step]) -> str:
    said = [_head(line, policy.name)]
    failed = next((s for s in steps if s.part in _CONDITIONS and s.value is not True), None)
    if failed is not None:
        said.append(_("not met: %(what)s") % {"what": failed.sentence})
    else:
        met = "，".join(s.sentence for s in steps if s.part in _CONDITIONS)
        chosen = next((s for s in steps if s.part not in _CONDITIONS and s.value is True), None)
        said += [s for s in (met, chosen.sentence if chosen and line.row != FORMULA else "") if s]
    said += [s for s in (_stacking(line), _recalled(line), _deducted(line)) if s]
    if line.form != policy.form:
        said.append(_formed(line, policy))
    if line.change in (Change.NEW, Change.STOPPED) and "region" in (line.reason or {}):
        said.append(
            _("moved from %(then)s to %(now)s") % dict(zip(("then", "now"), line.reason["region"], strict=True))
        )
    if line.change == Change.NEW and not line.reason and (why := _began(line, policy)):
        said.append(why)
    if line.change == Change.STOPPED and line.subject_kind == SubjectKind.PERSON and not line.reason and failed is None:
        said.append(_("no longer met"))
    return "；".join(said)


def _formed(line: Line, policy: Policy) -> str:
    """The form that was chosen for the person instead of the policy's own, and on what ground (R-049)."""
    names = {str(f.value): str(f.label) for f in Form}
    said = _("given as %(form)s instead of %(own)s") % {
        "form": names.get(line.form, line.form), "own": names.get(policy.form, policy.form),
    }  # fmt: skip
    source = applications.source_of_form(line.person_id, line.policy, line.month) if line.person_id else ""
    return f"{said}（{source}）" if source else said


def _recalled(line: Line) -> str:
    """What became of an over-payment that was not in cash."""
    recall = Recall.objects.filter(line=line).first() if line.amount < 0 else None
    if recall is None:
        return ""
    words = {
        "unissued": _("%(amount)s had not been issued yet"),
        "back": _("%(amount)s unused were taken back"),
        "ended": _("%(amount)s had ended unused"),
        "used": _("%(amount)s were used and are claimed back"),
    }
    amounts = {name: getattr(recall, name) for name in words}
    return "，".join(words[name] % {"amount": fmt.money(fen)} for name, fen in amounts.items() if fen)


def _deducted(line: Line) -> str:
    """What of a released line was kept back for a recovery."""
    if line.state != LineState.RELEASED or line.amount <= 0:
        return ""
    rows = Deduction.objects.filter(payment__line=line).select_related("recovery", "payment")
    return "，".join(
        (
            _("%(amount)s for over-payment %(number)s were not deducted: the bank rejected the payment")
            if d.undone_at
            else _("%(amount)s were deducted for over-payment %(number)s (%(paper)s), paid: %(paid)s")
        )
        % {
            "amount": fmt.money(d.amount), "number": d.recovery.number, "paid": fmt.money(d.payment.amount),
            "paper": d.recovery.deduct_evidence or fmt.DASH,
        }
        for d in rows
    )  # fmt: skip


def _began(line: Line, policy: Policy) -> str:
    """The condition that did not hold in the last run's month, read for this one subject."""
    if line.run.previous is None or line.subject_kind != SubjectKind.PERSON:
        return ""
    month = line.run.previous.month
    reading = policy.reading(month)
    if reading is None:
        return _("the policy did not pay in %(month)s") % {"month": f"{month:%Y-%m}"}
    frame = policies.Store(line.path, line.run.known_at, policies=[policy]).frame(reading)
    found = frame.filter(frame["subject_id"] == line.subject_id).to_dicts()
    if not found:
        return _("not in the register of this area in %(month)s") % {"month": f"{month:%Y-%m}"}
    facts = {name.partition("@")[0]: value for name, value in found[-1].items()}
    steps = trace(policy, facts, Period.month(month.year, month.month))
    failed = next((s for s in steps if s.part in _CONDITIONS and s.value is not True), None)
    return _("in %(month)s not met: %(what)s") % {"month": f"{month:%Y-%m}", "what": failed.sentence} if failed else ""


def _stacking(line: Line) -> str:
    words = {
        "excluded": _("excluded by %(winner)s"),
        "lower": _("only the highest is paid: %(winner)s"),
        "topped": _("topped up beside %(winner)s: %(base)s before"),
        "paid": _("less what was paid before: %(base)s in all"),
        "unmatched": _("no row of the table fits"),
        "elsewhere": _("another region pays this month already: %(base)s otherwise"),
        "held": _("on hold: %(base)s otherwise"),
    }
    said = words.get(line.stacked)
    return said % {"winner": line.winner, "base": fmt.money(line.base)} if said else ""
