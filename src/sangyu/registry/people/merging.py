"""What a merge of two persons does with this room's rows and with what the kernel keeps for a person (ADR 0013)."""

from dataclasses import dataclass
from typing import ClassVar

from sangyu.kernel.merging.rules import Case, Facts, Move, Plan, Rule, Stay, read

from .sharing import PERSON_SHARES

#: What the reviewer chooses between: name → columns that belong together, the leading one first.
FIELDS: dict[str, tuple[str, ...]] = {
    "name": ("name", "pinyin", "initials"),
    "sex": ("sex",),
    "birth_date": ("birth_date",),
    "id_number": ("id_number", "id_index", "id_tail", "id_kind"),
    "phone": ("phone", "phone_index", "phone_tail"),
    "place": ("region_id", "path", "address", "latitude", "longitude", "household_id"),
    "registered_address": ("registered_address",),
    "ethnicity": ("ethnicity",),
    "marriage": ("marriage",),
    "education": ("education",),
    "needs": ("needs",),
    "photo": ("photo_id",),
    "registered_on": ("registered_on",),
    "died_on": ("died_on",),
    "checked_on": ("checked_on",),
}


class Persons(Move):
    """Files that were merged into the gone one lead to the kept one; and how a person's own columns go back."""

    together = tuple(columns for columns in FIELDS.values() if len(columns) > 1)
    #: Ciphertext is new with each saving: the blind index beside it says whether the number changed.
    loose = frozenset({"updated_at", "completeness", "id_number", "phone", "path", "pinyin", "initials"})


class Contacts(Move):
    """A relative whom both files name (same name and number) is not listed twice."""

    def collisions(self, case: Case) -> dict[int, int]:
        found = super().collisions(case)
        kept = {(r["name"], r["phone_index"]): r for r in read(self.table(), {"person_id": case.kept})}
        for row in read(self.table(), {"person_id": case.gone}):
            same = kept.get((row["name"], row["phone_index"]))
            if same and row["account_id"] in (None, same["account_id"]):
                found[row["id"]] = same["id"]
        return found


class Consents(Move):
    """A consent goes with its relative: to the kept file's contact when that is the same one."""

    @property
    def together(self):
        return (("person_id", "path", "contact_id"),)

    def plan(self, case: Case, plan: Plan) -> None:
        same = case.stayed.get("people.Contact", {})
        kept = read(self.table(), {"person_id": case.kept})
        held = {(r["purpose"], r["contact_id"]) for r in kept if r["withdrawn_on"] is None}
        for row in read(self.table(), {"person_id": case.gone}):
            contact = same.get(row["contact_id"], row["contact_id"])
            if row["withdrawn_on"] is None and (row["purpose"], contact) in held:
                plan.leave(self.model, row["id"], "taken")
            else:
                columns = {"person_id": case.kept, "contact_id": contact, "path": case.path}
                plan.patch(self.model, row["id"], columns)
                plan.count(self.model, 1)
        for row in kept:
            if row["path"] != case.path:
                plan.patch(self.model, row["id"], {"path": case.path})


@dataclass(frozen=True)
class Shares(Move):
    """Who sees either file sees the one that is kept, for the longer of the two times; the gone one is shared no more."""

    live: ClassVar[str] = "(t.until IS NULL OR t.until > now())"

    @property
    def together(self):
        return (("object_id", "path"), ("since", "until"))

    def plan(self, case: Case, plan: Plan) -> None:
        super().plan(case, plan)
        condition = dict(self.where)
        rows = {r["id"]: r for s in (case.kept, case.gone) for r in read(self.table(), {self.column: s, **condition})}
        taken = {gone: kept for gone, kept in case.stayed[self.model].items() if gone in rows}
        plan.left = [e for e in plan.left if e["model"] != self.model]
        for gone_id, kept_id in taken.items():
            gone, kept = rows[gone_id], rows[kept_id]
            until = None if None in (gone["until"], kept["until"]) else max(gone["until"], kept["until"])
            plan.patch(self.model, kept_id, {"since": min(gone["since"], kept["since"]), "until": until})
            plan.patch(self.model, gone_id, {"until": case.now.isoformat()})


merge_rules: dict[str, list[Rule]] = {
    "people.Person": [
        Persons("people.Person", "merged_into"),
        Facts("people.PersonFact", "subject"),
        Contacts("people.Contact", "person"),
        Consents("people.Consent", "person"),
        Move("people.GuardedNote", "person"),
        Move("people.HealthNote", "person"),
        *(Shares("kernel.Share", "object_id", along=True, where=(("kind", kind),)) for kind in PERSON_SHARES),
        Move("kernel.StoredFile", "owner_id", along=True, where=(("owner_table", "people_person"),)),
        # Entries and balances are never edited: the account stays and says whose it is now (ADR 0013).
        Move("ledger.Account", "person_id"),
        Move("ledger.Account", "owner_id", where=(("owner_kind", "person"),)),
        Stay("merging.Merge", "kept_id", "the record of a merge names the files as they were"),
        Stay("merging.Merge", "gone_id", "the record of a merge names the files as they were"),
    ]
}
