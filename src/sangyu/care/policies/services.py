"""Writing policies: draft, approve by another person, end, discard; loading the files that ship (R-039)."""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from sangyu.engines.policy import Policy, PolicyErrors, Problem
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.services import service
from sangyu.registry.documents import selectors as documents

from .enums import State
from .levels import region_of
from .models import PolicyVersion
from .selectors import read_text


def check(text: str, file: str = "") -> tuple[Policy | None, list[Problem]]:
    """What the engine says to ``text``: the policy, or its problems. Nothing is stored."""
    try:
        return read_text(text, file), []
    except PolicyErrors as errors:
        return None, errors.problems


def words_of(problem: Problem) -> tuple[str, str]:
    """Message and remedy in the language of the screen."""
    return problem.chinese if translation.get_language().startswith("zh") else (problem.message, problem.remedy)


def _read(text: str, file: str = "") -> Policy:
    """Raises Invalid with a line per problem."""
    policy, problems = check(text, file)
    if policy is None:
        told = [_("Line %(n)d: %(what)s") % {"n": p.line, "what": " ".join(words_of(p))} for p in problems]
        raise Invalid({"text": told}, code="policies.text")
    return policy


def _region(actor: Actor, policy: Policy):
    """The region that the text names, when the actor answers for it. Raises Invalid, Refused."""
    region = region_of(policy.region)
    if region is None:
        raise Invalid({"text": [_("Line %(n)d: %(what)s") % {
            "n": policy.lines.get("region", 1), "what": _("No region has this code.")}]})  # fmt: skip
    require_responsible(actor, region.path)
    return region


def _columns(policy: Policy, text: str, path: str) -> dict:
    """What the text says, for the row's columns."""
    named = policy.document
    document = documents.by_number(named.number, path) or (
        None if named.number else documents.by_title(named.title, path)
    )
    return {
        "code": policy.code,
        "name": policy.name[:100],
        "subject": policy.subject,
        "period": policy.period,
        "text": text,
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "valid_from": policy.valid_from,
        "valid_to": policy.valid_to + timedelta(days=1) if policy.valid_to else None,
        "clause": named.clause[:100],
        "document": document,
    }


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip() + "\n"


@service("policies.edit")
def draft(*, actor: Actor, text: str, based_on: int | None = None) -> PolicyVersion:
    """Store ``text`` as the next version of its code in its region, as a draft. Raises Invalid with the engine's problems."""
    text = _clean(text)
    policy = _read(text)
    region = _region(actor, policy)
    last = PolicyVersion.objects.filter(code=policy.code, region=region).order_by("-number").first()
    origin = PolicyVersion.objects.visible_to(actor).filter(pk=based_on).first() if based_on else None
    return PolicyVersion.objects.create(
        region=region,
        path=region.path,
        number=(last.number if last else 0) + 1,
        author=actor.name[:100],
        author_id=actor.account_id,
        based_on=origin,
        **_columns(policy, text, region.path),
    )


def _locked(actor: Actor, version_id: int) -> PolicyVersion:
    found = PolicyVersion.objects.select_for_update(of=("self",)).visible_to(actor).filter(pk=version_id).first()
    if found is None:
        raise NotVisible
    require_responsible(actor, found.path)
    return found


def _draft(actor: Actor, version_id: int) -> PolicyVersion:
    row = _locked(actor, version_id)
    if row.state != State.DRAFT:
        raise Refused(_("Only a draft can be changed. Write a new version instead."), code="policies.not_draft")
    return row


@service("policies.edit")
def change_draft(*, actor: Actor, version_id: int, text: str) -> PolicyVersion:
    """Write a draft anew. Whoever changes it is its author: it takes somebody else to approve it. Raises Invalid, Refused."""
    row, text = _draft(actor, version_id), _clean(text)
    policy = _read(text)
    if policy.code != row.code or _region(actor, policy).pk != row.region_id:
        raise Invalid({"text": [_("Code and region of a version stay. Write a new policy for another.")]})
    for name, value in _columns(policy, text, row.path).items():
        setattr(row, name, value)
    row.author, row.author_id = actor.name[:100], actor.account_id
    row.save()
    return row


@service("policies.edit")
def discard(*, actor: Actor, version_id: int) -> PolicyVersion:
    """Put a draft aside; it stays to be read. Raises Refused."""
    row = _draft(actor, version_id)
    row.state = State.DISCARDED
    row.save(update_fields=["state"])
    return row


@service("policies.edit")
def restore(*, actor: Actor, version_id: int) -> PolicyVersion:
    """Take a discarded draft back. Raises Refused."""
    row = _locked(actor, version_id)
    if row.state != State.DISCARDED:
        raise Refused(_("This version was not discarded."), code="policies.not_discarded")
    row.state = State.DRAFT
    row.save(update_fields=["state"])
    return row


@service("policies.approve")
def approve(
    *, actor: Actor, version_id: int, document_id: int | None = None, now: datetime | None = None
) -> PolicyVersion:
    """Approve a draft by another person than its author, on the document that allows it; its text never changes from here on.

    The version before it ends on the first day of this one. Raises Refused("policies.own" | "policies.document" |
    "policies.overlap"), Invalid when the text is no longer understood.
    """
    row = _draft(actor, version_id)
    _read(row.text)
    if (row.author_id, row.author) == (actor.account_id, actor.name) or (
        row.author_id is not None and row.author_id == actor.account_id
    ):
        raise Refused(_("Whoever wrote the draft cannot approve it. Ask somebody else."), code="policies.own")
    if document_id is not None:
        row.document = documents.document(actor, document_id)
    if row.document_id is None:
        raise Refused(
            _("Name the document that allows this. Enter it in the policy library first if it is not there."),
            code="policies.document",
        )
    if not row.document.holds_on(row.valid_from) and row.document.valid_from > row.valid_from:
        raise Refused(
            _("The document holds only from %(day)s on.") % {"day": row.document.valid_from}, code="policies.document"
        )
    _end_before(row)
    row.state, row.approved_at = State.APPROVED, now or timezone.now()
    row.approved_by, row.approver_id = actor.name[:100], actor.account_id
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "policy_version_no_overlap" in str(error):
            raise Refused(
                _("An approved version holds in these days already. End it first, or choose other days."),
                code="policies.overlap",
            ) from None
        raise
    return row


def _end_before(row: PolicyVersion) -> None:
    """The approved version that would run on beside ``row`` ends when ``row`` begins."""
    earlier = PolicyVersion.objects.approved().filter(
        code=row.code, region_id=row.region_id, valid_from__lt=row.valid_from
    )
    for old in earlier.on(row.valid_from):
        old.valid_to = row.valid_from
        old.save(update_fields=["valid_to"])


@service("policies.approve")
def end(*, actor: Actor, version_id: int, day: date) -> PolicyVersion:
    """An approved version holds no more from ``day`` on; what was paid stays. Raises Refused, Invalid."""
    row = _locked(actor, version_id)
    if row.state != State.APPROVED:
        raise Refused(_("Only an approved version can be ended. Discard the draft."), code="policies.not_approved")
    if row.valid_to is not None and row.valid_to <= day:
        raise Refused(_("It has ended already."), code="policies.ended")
    if day <= row.valid_from:
        raise Invalid({"day": [_("The end must be after the start.")]})
    row.valid_to = day
    row.save(update_fields=["valid_to"])
    return row


class Loaded(NamedTuple):
    """What files brought: drafts made, texts that were there already."""

    drafts: int
    unchanged: int


@service("policies.edit")
def load(*, actor: Actor, files: Iterable[tuple[str, str]]) -> Loaded:
    """Store (file name, text) as drafts, all or none; a text that is there already is left alone. Raises Invalid per file and line."""
    problems: list[str] = []
    texts = []
    for name, text in files:
        text = _clean(text)
        _policy, found = check(text, name)
        problems += [f"{name}:{p.line}: {' '.join(words_of(p))}" for p in found]
        texts.append(text)
    if problems:
        raise Invalid({"file": problems})
    made = 0
    for text in texts:
        digest = hashlib.sha256(text.encode()).hexdigest()
        if PolicyVersion.objects.exclude(state=State.DISCARDED).filter(digest=digest).exists():
            continue
        draft(actor=actor, text=text)
        made += 1
    return Loaded(made, len(texts) - made)
