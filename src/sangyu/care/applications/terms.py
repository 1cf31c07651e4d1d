"""Words that this room adds to the vocabulary of policies: the day of the application, and whether payments are held."""

from django.utils.translation import gettext as _

from sangyu.care.policies.selectors import Dated, Entry, Term, register_terms

_PEOPLE = frozenset({"person", "resident"})

#: Known whenever there is an approved application, also on days before the one from which it holds: the policy's start counts
#: that day as its rule says (from the day, from the month).
_APPLIED = Dated(
    "SELECT a.person_id AS subject_id, min(a.approved_from)::text AS value, DATE '1900-01-01' AS valid_from, "
    "NULL::date AS valid_to, min(a.id) AS row_id FROM applications_application a "
    "WHERE a.state = 'approved' AND a.policy_code = %(policy)s AND a.path >= %(path)s AND a.path < %(path)s || '~' "
    "AND (%(known)s::timestamptz IS NULL OR a.decided_at <= %(known)s) GROUP BY a.person_id",
    "applications_application",
)
#: A hold of the policy, or of all of them; where both hold on a day, either says yes.
_HELD = Dated(
    "SELECT DISTINCT ON (h.person_id, h.valid_from) h.person_id AS subject_id, 'yes' AS value, h.valid_from, h.valid_to, "
    "h.id AS row_id FROM applications_hold h WHERE h.policy_code IN ('', %(policy)s) AND h.path >= %(path)s "
    "AND h.path < %(path)s || '~' AND (%(known)s::timestamptz IS NULL OR h.made_at <= %(known)s) "
    "ORDER BY h.person_id, h.valid_from, h.policy_code",
    "applications_hold",
)


def words() -> list[Entry]:
    """``applied_on`` and ``held``, each read for one policy at a time."""
    return [
        Entry(
            Term("applied_on", _("Entitled by application from"), "date", {}, _PEOPLE, _("Empty without an approved application.")),
            dict.fromkeys(_PEOPLE, _APPLIED),
        ),
        Entry(
            Term("held", _("Payment held"), "bool", {}, _PEOPLE, _("Yes while a stop of this policy or of all holds.")),
            dict.fromkeys(_PEOPLE, _HELD),
        ),
    ]  # fmt: skip


def register() -> None:
    register_terms(words)
