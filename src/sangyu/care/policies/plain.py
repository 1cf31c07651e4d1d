"""A policy in plain words: who, how much, how, when, beside what, by which document. Sentences come from the engine's tree."""

from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sangyu.engines.policy import CHOICES, Amount, Policy, money, sentence


@dataclass
class Section:
    """One part of the page: sentences, and for amounts a table of (when, how much)."""

    key: str
    heading: str
    lines: list[str] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)
    marks: bool = False


def describe(policy: Policy, names: dict[str, str] | None = None) -> list[Section]:
    """All parts of ``policy`` that say something; ``names`` are the names of other policies by code."""
    made = [
        Section("who", pgettext("policies", "Who"), [*_who(policy)]),
        _amounts(policy),
        _quantity(policy.quantity, "quantity", _("How many")),
        _quantity(policy.copayment, "copayment", _("Own share")),
        Section("how", _("How it is given"), _how(policy)),
        Section("when", pgettext("policies", "When"), _when(policy)),
        Section("with", _("Beside other policies"), _beside(policy, names or {})),
        Section("asked", _("Application and review"), _asked(policy)),
        Section("rest", _("What is left over"), _rest(policy)),
        Section("notes", _("Marks of interpretation"), list(policy.notes), marks=True),
        Section("sources", _("Sources"), list(policy.sources)),
    ]
    return [s for s in made if s.lines or s.rows]


def _word(choices: str, value: str) -> str:
    return CHOICES[choices].get(value, value)


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _who(policy: Policy) -> list[str]:
    return [sentence(clause.expr) for clause in policy.who]


def _amounts(policy: Policy) -> Section:
    found = _quantity(policy.amount, "amount", _("How much"))
    amount = policy.amount
    if amount.minimum is not None:
        found.lines.append(_("At least %(sum)s.") % {"sum": money(amount.minimum)})
    if amount.maximum is not None:
        found.lines.append(_("At most %(sum)s.") % {"sum": money(amount.maximum)})
    if amount.prorate != "none":
        found.lines.append(_("For part of a period: %(rule)s.") % {"rule": _word("prorate", amount.prorate)})
    if amount.round_to > 1:
        to = {10: "jiao", 100: "yuan"}.get(amount.round_to, "fen")
        found.lines.append(
            _("Rounded to %(to)s (%(way)s).") % {"to": _word("to", to), "way": _word("way", amount.round_way)}
        )
    if policy.instalments:
        parts = "、".join(f"{i.name} {float(i.share) * 100:g}%" for i in policy.instalments)
        found.lines.append(_("Paid in parts: %(parts)s.") % {"parts": parts})
    return found


def _quantity(amount: Amount | None, key: str, heading: str) -> Section:
    found = Section(key, heading)
    if amount is None:
        return found
    unit = amount.unit if key == "quantity" else ""
    for row in amount.rows:
        value = sentence(row.value) + unit
        if amount.table:
            found.rows.append((sentence(row.when.expr) if row.when else _("All others"), value))
        else:
            found.lines.append(value)
    return found


def _how(policy: Policy) -> list[str]:
    cycle = policy.cycle
    if cycle.every == "festival":
        name = _word("festival", cycle.festival) if cycle.festival else ""
        if cycle.lunar and not name:
            name = _("the %(d)d. day of the %(m)d. lunar month") % {"m": cycle.lunar[0], "d": cycle.lunar[1]}
        elif cycle.solar:
            name = f"{cycle.solar[0]}月{cycle.solar[1]}日"
        due = _("Once a year for %(festival)s.") % {"festival": name}
    elif cycle.every == "once":
        due = _("Once.")
    elif cycle.every == "month":
        due = _("Every month.")
    elif cycle.every == "quarter":
        due = _("Every quarter, in its %(n)d. month.") % {"n": cycle.month}
    else:
        due = _("Every year in month %(n)d.") % {"n": cycle.month}
    lines = [due]
    if policy.pay_day:
        lines.append(_("Pay day: the %(n)d. of the month.") % {"n": policy.pay_day})
    if cycle.previous:
        lines.append(_("Paid for the period before."))
    if cycle.joiners:
        lines.append(_("Who joins during the year is paid in the month of joining."))
    lines.append(
        _("Given as %(form)s to %(payee)s, out of %(fund)s.")
        % {
            "form": _word("form", policy.form),
            "payee": _word("payee", policy.payee),
            "fund": _word("fund", policy.fund),
        }
    )
    if policy.deduct_most is not None:
        lines.append(
            _("At most %(n)d%% of a month's payment may be kept back for what was over-paid.")
            % {"n": policy.deduct_most}
            if policy.deduct_most
            else _("Nothing of it is kept back for what was over-paid.")
        )
    if policy.repeat:
        lines.append(_("Again: %(rule)s.") % {"rule": _word("repeat", policy.repeat)})
    return lines


def _when(policy: Policy) -> list[str]:
    first = _day(policy.valid_from)
    last = _day(policy.valid_to) if policy.valid_to else ""
    lines = [
        _("From %(first)s to %(last)s.") % {"first": first, "last": last}
        if last
        else _("From %(first)s on.") % {"first": first}
    ]
    lines.append(_("Facts are read: %(when)s.") % {"when": _word("read", policy.read)})
    if "birth_date" in policy.terms:
        lines.append(_("Ages count from: %(rule)s.") % {"rule": _word("birthday", policy.birthday)})
    from .selectors import vocabulary

    for edge, words, choices in (
        (policy.starts, _("Begins with “%(what)s”, %(rule)s."), "from"),
        (policy.stops, _("Stops with “%(what)s”, %(rule)s."), "until"),
    ):
        if edge is not None:
            lines.append(words % {"what": vocabulary().terms[edge.term].label, "rule": _word(choices, edge.rule)})
    return lines


def _beside(policy: Policy, names: dict[str, str]) -> list[str]:
    stacking = policy.stacking

    def told(codes: tuple[str, ...]) -> str:
        return "、".join(names.get(code, code) for code in codes)

    lines = []
    if stacking.excludes:
        lines.append(_("Who gets this does not get: %(others)s.") % {"others": told(stacking.excludes)})
    if stacking.excluded_by:
        lines.append(_("Not for those who get: %(others)s.") % {"others": told(stacking.excluded_by)})
    if stacking.rule == "highest":
        lines.append(_("Of the group “%(group)s” only the highest is paid.") % {"group": stacking.group})
    elif stacking.rule == "top_up":
        lines.append(_("Tops up what others of the group “%(group)s” pay.") % {"group": stacking.group})
    if not lines:
        lines.append(_("May be held beside any other."))
    return lines


def _asked(policy: Policy) -> list[str]:
    lines = [_word("application", policy.application)]
    if policy.evidence:
        lines.append(_("Evidence: %(what)s.") % {"what": "、".join(policy.evidence)})
    for key, window in policy.windows.items():
        label = {"application": _("Applications"), "confirmation": _("Confirmation")}.get(key, key)
        lines.append(f"{label}：{window.start[0]}月{window.start[1]}日—{window.end[0]}月{window.end[1]}日")
    if policy.review:
        lines.append(_("Reviewed by: %(steps)s.") % {"steps": " → ".join(_word("review", s) for s in policy.review)})
    if policy.notice_days:
        lines.append(_("Public notice for %(n)d days.") % {"n": policy.notice_days})
    return lines


def _rest(policy: Policy) -> list[str]:
    rest = policy.rest
    if rest is None:
        return []
    told = f"{_word('at', rest.at)}{_word('rest', rest.rule)}"
    if rest.months:
        told += _(", for %(n)d months") % {"n": rest.months}
    if rest.cap is not None:
        told += _(", up to %(sum)s") % {"sum": money(rest.cap)}
    return [told]
