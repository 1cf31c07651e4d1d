"""What the policies of an area ask of who applies: read from the versions in force, through the policies room."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sangyu.care.policies import selectors as policies
from sangyu.kernel.scoping import as_system

from .enums import Form, Step


@dataclass(frozen=True)
class Offer:
    """One policy of an area on a day, as far as applying for it goes. ``policy`` is the engine's own reading of the text."""

    code: str
    name: str
    version_id: int
    subject: str
    on_application: bool
    evidence: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    windows: dict[str, Any] = field(default_factory=dict)
    form: str = Form.CASH
    policy: Any = None

    @property
    def window(self) -> Any | None:
        return self.windows.get("application")

    def open_on(self, day: date) -> bool:
        """Whether applications are taken on ``day``."""
        return self.window is None or day in self.window

    @property
    def windows_text(self) -> str:
        """ "03-01 – 04-30", "" when always."""
        if self.window is None:
            return ""
        return " – ".join(f"{month:02d}-{day:02d}" for month, day in (self.window.start, self.window.end))

    @property
    def forms(self) -> tuple[str, ...]:
        """Forms that an area may choose for a person (R-049); an insurance is bought, never handed over."""
        return tuple(Form.values) if self.form in Form.values else ()


def in_force(path: str, day: date) -> list[tuple[Any, Any]]:
    """(version, the engine's reading) of the policies that hold at ``path`` on ``day``: the nearest region's version of each code."""
    area = policies.areas(path, policies.in_force(path, day))[0]
    return [(version, policies.policy_of(version)) for version in area.versions]


def offers(path: str, day: date) -> list[Offer]:
    """Policies for persons and residents in force at ``path`` on ``day``, by name."""
    found = [made(v, p) for v, p in in_force(path, day) if p.subject in ("person", "resident")]
    return sorted(found, key=lambda o: (o.name, o.code))


def offer(path: str, code: str, day: date) -> Offer | None:
    """The policy with ``code`` in force at ``path`` on ``day``."""
    return next((o for o in offers(path, day) if o.code == code), None)


def made(version: Any, policy: Any) -> Offer:
    """What one version asks of who applies."""
    return Offer(
        code=policy.code, name=policy.name, version_id=version.pk, subject=policy.subject,
        on_application=policy.application == "required", evidence=tuple(policy.evidence),
        review=tuple(s for s in policy.review if s in Step.values), windows=policy.windows, form=policy.form,
        policy=policy,
    )  # fmt: skip


def rule_of(row: Any) -> Any | None:
    """The policy that an application asks for, as its version says; the row keeps the version once it is read. None for one without."""
    if row.version_id is None:
        return None
    if type(row).version.is_cached(row):
        return policies.policy_of(row.version)
    with as_system("what a policy leaves to a decision is public where it holds"):
        return policies.policy_of(row.version)


def decision_bounds(row: Any) -> tuple[int, int] | None:
    """Least and most fen that may be decided on an application whose policy reads ``decided_amount``; else None."""
    rule = rule_of(row)
    return rule.decides if rule is not None else None
