"""Who sat on a panel and how they voted: what is written down, and when it carries a decision."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from sangyu.kernel.errors import Invalid

from .enums import Vote
from .offers import rule_of

#: Members who may vote that a panel needs; more than half of them agree.
LEAST_MEMBERS = 3
#: What a policy's review steps call a panel.
PANEL = "panel"


class Member(NamedTuple):
    """One member; who is concerned withdraws and does not count."""

    name: str
    position: str = ""
    vote: str = Vote.FOR


def asked(row: Any) -> bool:
    """Whether the policy of an application names a panel among those who review."""
    rule = rule_of(row)
    return rule is not None and PANEL in rule.review


def require_carried(members: Sequence[Member]) -> None:
    """Raises Invalid("members") unless the panel is large enough, names nobody twice and more than half of it agrees."""
    voting = [m for m in members if m.vote != Vote.WITHDREW]
    agree = sum(m.vote == Vote.FOR for m in voting)
    if any(not m.name.strip() or m.vote not in Vote.values for m in members):
        raise Invalid({"members": [_("Each member has a name and a vote.")]})
    if len({m.name for m in members}) < len(members):
        raise Invalid({"members": [_("A member is named twice.")]})
    if len(voting) < LEAST_MEMBERS:
        raise Invalid({"members": [_("A panel has at least %(n)s members who may vote.") % {"n": LEAST_MEMBERS}]})
    if 2 * agree <= len(voting):
        raise Invalid(
            {"members": [_("%(agree)s of %(n)s agree: more than half must.") % {"agree": agree, "n": len(voting)}]}
        )
