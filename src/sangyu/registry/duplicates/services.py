"""Searching for pairs, and deciding about them. Merging itself is ``people.services.merge`` (R-026, ADR 0013)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import operations
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.models import Operation
from sangyu.kernel.scoping import as_system, say_why
from sangyu.kernel.services import service

from .enums import PassKind, State
from .finding import Found, find
from .models import Candidate, Pass
from .rules import rules_on

#: Fingerprint of what says who somebody is: when it changes, a decision about the pair is asked for again.
_PRINT = (
    "md5(concat_ws('|', p.name, p.sex, p.birth_date::text, encode(p.id_index, 'hex'), encode(p.phone_index, 'hex')))"
)
_STORE = f"""
INSERT INTO duplicates_candidate AS c (first_id, second_id, score, levels, rules, path, state, found_at, decided_by, reason, prints)
SELECT d.first, d.second, d.score, d.levels, %s, d.path, 'open', %s, '', '', '{{}}' FROM duplicate_pair d
ON CONFLICT (first_id, second_id) DO UPDATE
   SET score = excluded.score, levels = excluded.levels, rules = excluded.rules, path = excluded.path,
       state = 'open', decided_at = NULL, decided_by = '', reason = '', prints = '{{}}', merge_id = NULL
 WHERE (c.state = 'open' AND (c.score, c.levels, c.path) IS DISTINCT FROM (excluded.score, excluded.levels, excluded.path))
    OR c.state = 'merged'
    OR (c.state <> 'open' AND c.prints::text[] <> (SELECT array_agg({_PRINT} ORDER BY p.id) FROM people_person p
                                            WHERE p.id IN (c.first_id, c.second_id)))
RETURNING (xmax = 0)
"""
#: Open pairs of the searched files that do not look alike any more.
_FORGET = """
DELETE FROM duplicates_candidate c WHERE c.state = 'open' AND c.path >= %s AND c.path < %s || '~'
   AND NOT EXISTS (SELECT 1 FROM duplicate_pair d WHERE d.first = c.first_id AND d.second = c.second_id)
   AND (%s OR EXISTS (SELECT 1 FROM people_person p WHERE p.id IN (c.first_id, c.second_id) AND p.updated_at >= %s))
"""
#: Files saved while the last pass ran are looked at again.
_OVERLAP = timedelta(minutes=5)


@service("duplicates.search")
def start_search(*, actor: Actor, whole: bool = True) -> Operation:
    """Search the actor's area as a long-running operation; ``whole=False`` only what changed since the last search."""
    title = _("Search for duplicates: whole area") if whole else _("Search for duplicates: changed files")
    return operations.start(actor, "duplicates.search", title=title, params={"whole": whole})


@service("duplicates.search")
def search(
    *, actor: Actor, whole: bool = True, told: Callable[[str], None] = lambda what: None, now: datetime | None = None
) -> Pass:
    """Find and store the pairs of the actor's area (set-based). Pairs decided as different stay so until a file changes."""
    now = now or timezone.now()
    last = Pass.objects.filter(path=actor.path).order_by("-until").first()
    since = last.until - _OVERLAP if last else now
    whole = whole or last is None
    rules = rules_on(timezone.localdate(now))
    fresh = "true" if whole else f"updated_at >= '{since.isoformat()}'"
    found: Found = find(rules, fresh=fresh, whole=whole, told=told)
    with connection.cursor() as cursor:  # the passing table belongs to the actor's role
        cursor.execute(f"GRANT SELECT ON duplicate_pair TO {Audience.JOB.db_role}")
    with as_system("a pair may have belonged to a wider region"), connection.cursor() as cursor:
        cursor.execute(_STORE, [rules.version, now])
        new = sum(made for (made,) in cursor.fetchall())
        cursor.execute(_FORGET, [actor.path, actor.path, whole, since])
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE duplicate_pair")
    return Pass.objects.create(
        path=actor.path, kind=PassKind.WHOLE if whole else PassKind.FRESH, rules=rules.version, until=now,
        compared=found.compared, found=found.kept, new=new,
    )  # fmt: skip


def _locked(candidate_id: int) -> Candidate:
    found = Candidate.objects.select_for_update().filter(pk=candidate_id).first()
    if found is None:
        raise NotVisible
    return found


def _decide(actor: Actor, found: Candidate, state: State, reason: str, now: datetime | None, merge_id=None) -> None:
    found.state, found.reason, found.merge_id = state, reason, merge_id
    found.decided_at, found.decided_by = now or timezone.now(), actor.name
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT array_agg({_PRINT} ORDER BY p.id) FROM people_person p WHERE p.id IN (%s, %s)",
            [found.first_id, found.second_id],
        )
        found.prints = cursor.fetchone()[0] or []
    if reason:
        say_why(reason)
    found.save(update_fields=["state", "reason", "merge_id", "decided_at", "decided_by", "prints"])


@service("duplicates.review")
def keep_apart(*, actor: Actor, candidate_id: int, reason: str, now: datetime | None = None) -> Candidate:
    """They are two persons: the pair comes back only when name, sex, birth date or a number of one of them changes."""
    if not reason.strip():
        raise Invalid({"reason": [_("Say how you know.")]})
    found = _locked(candidate_id)
    if found.state == State.MERGED:
        raise Refused(_("These files are merged. Undo the merge first."), code="duplicates.merged")
    _decide(actor, found, State.DIFFERENT, reason.strip(), now)
    return found


@service("duplicates.review")
def put_off(*, actor: Actor, candidate_id: int, reason: str = "", now: datetime | None = None) -> Candidate:
    """Not now: the pair leaves the queue until somebody takes it up again or one of the files changes."""
    found = _locked(candidate_id)
    if found.state != State.OPEN:
        raise Refused(_("This pair is decided already."), code="duplicates.decided")
    _decide(actor, found, State.LATER, reason.strip(), now)
    return found


@service("duplicates.review")
def take_up(*, actor: Actor, candidate_id: int) -> Candidate:
    """Back to the queue."""
    found = _locked(candidate_id)
    if found.state not in (State.LATER, State.DIFFERENT):
        raise Refused(_("This pair is in the queue or merged."), code="duplicates.not_put_off")
    found.state, found.decided_at, found.decided_by, found.reason, found.prints = State.OPEN, None, "", "", []
    found.save(update_fields=["state", "decided_at", "decided_by", "reason", "prints"])
    return found


def note_merge(actor: Actor, first_id: int, second_id: int, merge_id: int | None, reason: str) -> None:
    """Write what became of the pair, when it is one: merged, or after an undo two persons. Call inside a scope."""
    pair = {"first_id": min(first_id, second_id), "second_id": max(first_id, second_id)}
    found = Candidate.objects.select_for_update().filter(**pair).first()
    if found is not None:
        _decide(actor, found, State.MERGED if merge_id else State.DIFFERENT, reason, None, merge_id)
