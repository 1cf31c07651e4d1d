"""Words that this room adds to the vocabulary of policies: the day of the application, and whether payments are held."""

from django.utils.translation import gettext as _

from sangyu.care.policies.selectors import Dated, Entry, Term, register_terms

_PEOPLE = frozenset({"person", "resident"})
_BODIES = ("facility", "organisation", "worker")


#: Known whenever there is an approved application, also on days before the one from which it holds: the policy's start counts
#: that day as its rule says (from the day, from the month).
_APPROVED = (
    "SELECT a.policy_code AS policy, {subject} AS subject_id, {value} AS value, DATE '1900-01-01' AS valid_from, "
    "NULL::date AS valid_to, {row} AS row_id FROM applications_application a WHERE a.state = 'approved' AND {where} "
    "AND a.policy_code = ANY(%(policies)s) AND a.path >= %(path)s AND a.path < %(path)s || '~' "
    "AND (%(known)s::timestamptz IS NULL OR a.decided_at <= %(known)s){more}"
)


def _of_subjects(**parts: str) -> dict[str, Dated]:
    """A word of the approved application, for persons and for each kind of body."""
    table = "applications_application"
    people = Dated(_APPROVED.format(subject="a.person_id", where="a.person_id IS NOT NULL", **parts), table)
    bodies = {
        k: Dated(
            _APPROVED.format(subject="a.body_id", where=f"a.body_id IS NOT NULL AND a.body_kind = '{k}'", **parts),
            table,
        )
        for k in _BODIES
    }
    return {**dict.fromkeys(sorted(_PEOPLE), people), **bodies}


def _held(subject: str, where: str) -> Dated:
    """A hold of the policy, or of all of them; where both hold on a day, either says yes."""
    return Dated(
        f"SELECT DISTINCT ON (p.code, {subject}, h.valid_from) p.code AS policy, {subject} AS subject_id, 'yes' AS value, "
        "h.valid_from, h.valid_to, h.id AS row_id FROM applications_hold h "
        "JOIN unnest(%(policies)s::text[]) AS p (code) ON h.policy_code IN ('', p.code) "
        f"WHERE {where} AND h.path >= %(path)s AND h.path < %(path)s || '~' "
        "AND (%(known)s::timestamptz IS NULL OR h.made_at <= %(known)s) "
        f"ORDER BY p.code, {subject}, h.valid_from, h.policy_code",
        "applications_hold",
    )


def _held_subjects() -> dict[str, Dated]:
    bodies = {kind: _held("h.body_id", f"h.body_kind = '{kind}'") for kind in _BODIES}
    return {**dict.fromkeys(sorted(_PEOPLE), _held("h.person_id", "h.person_id IS NOT NULL")), **bodies}


def words() -> list[Entry]:
    """``applied_on``, ``decided_amount`` and ``held``, which differ from policy to policy."""
    everybody = _PEOPLE | frozenset(_BODIES)
    return [
        Entry(
            Term("applied_on", _("Entitled by application from"), "date", {}, everybody, _("Empty without an approved application.")),
            # mostly one each: merged files may have several, of which the first day counts
            _of_subjects(value="a.approved_from", row="a.id", more=""),
        ),
        Entry(
            Term(
                "decided_amount", _("Amount decided on the application"), "fen", {}, everybody,
                _("Decided by a panel or office within the minimum and maximum of the policy; empty before."),
            ),
            _of_subjects(
                value="max(a.decided_amount)", row="min(a.id)", more=" AND a.decided_amount IS NOT NULL GROUP BY 1, 2"
            ),
        ),
        Entry(
            Term("held", _("Payment held"), "bool", {}, everybody, _("Yes while a stop of this policy or of all holds.")),
            _held_subjects(),
        ),
    ]  # fmt: skip


def register() -> None:
    register_terms(words)
