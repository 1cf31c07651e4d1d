"""The register of a demo city: its parts are drawn in processes of their own and copied in, with memory bounded by a batch."""

from collections.abc import Callable, Iterator
from datetime import date
from random import Random

from django.db import transaction

from sangyu.registry.people.models import Consent, Contact, Household, Person, PersonFact

from ..parallel import streams
from . import rows, shares
from .copying import analyse, bare_tables, copy_text, reserve_ids, say_who
from .places import Place, share_out
from .rows import CONTACTS_EACH, Share

#: From this many persons on the load goes into bare tables; from the second on the history begins after it.
LARGE, HUGE = 1_000, 50_000
BATCH = 4_000
PARTS = 2
COLUMNS = {
    Household: rows.HOUSEHOLD,
    Person: rows.PERSON,
    PersonFact: rows.FACT,
    Contact: rows.CONTACTS,
    Consent: rows.CONSENT,
}
MODELS = tuple(COLUMNS)


def load_people(places: list[Place], elders: int, *, today: date, seed: str, step: Callable[[int], None]) -> int:
    """Write ``elders`` living elders (and some who died) into the register of ``places``; returns the persons written.

    One transaction. The same seed and day give the same people; only the ciphertext differs. ``step`` is told how many rows
    of persons were written since the last call. From ``HUGE`` on the parts are drawn in processes of their own.
    """
    counts = share_out(elders, [p.weight for p in places])
    dead = share_out(round(elders * shares.DECEASED / 100), [p.weight for p in places])
    whole = elders + sum(dead)
    with transaction.atomic():
        say_who()
        parts = divide(list(zip(places, counts, dead, strict=True)), elders, today=today, seed=seed)
        _number(
            parts,
            reserve_ids(Person, whole),
            reserve_ids(Household, whole),
            reserve_ids(Contact, CONTACTS_EACH * whole),
        )
        if whole >= LARGE:
            with bare_tables(*MODELS, history=whole < HUGE):
                _write_all(parts, step, apart=whole >= HUGE)
        else:
            _write_all(parts, step, apart=False)
    analyse(*MODELS)
    return whole


def divide(communities: list[tuple[Place, int, int]], elders: int, *, today: date, seed: str) -> list[Share]:
    """``PARTS`` parts of about the same size; the communities of a county stay together, since they share ID numbers."""
    counties: dict[str, list] = {}
    for found in communities:
        counties.setdefault(found[0].area, []).append(found)
    parts = [Share(seed, today, part=n, parts=PARTS) for n in range(PARTS)]
    for county in sorted(counties.values(), key=lambda c: -sum(living for _p, living, _d in c)):
        min(parts, key=lambda p: p.size).communities += county
    disabled, partly = shares.difficult(elders)
    serials = Random(f"{seed} difficult").sample(range(elders), disabled + partly)
    difficult = {serial: i < disabled for i, serial in enumerate(serials)}
    serial = 0
    for part in parts:
        part.serial, part.difficult = serial, difficult
        serial += sum(living for _place, living, _dead in part.communities)
    return parts


def _number(parts: list[Share], person: int, household: int, contact: int) -> None:
    """Let each part begin where the one before must have ended."""
    before = 0
    for part in parts:
        part.next_id, part.next_household = person + before, household + before
        part.next_contact, part.relatives = contact + CONTACTS_EACH * before, CONTACTS_EACH * before
        before += part.size


def _write_all(parts: list[Share], step: Callable[[int], None], *, apart: bool) -> None:
    for count, tables in streams(written, parts) if apart else (found for part in parts for found in written(part)):
        for model, columns in COLUMNS.items():
            copy_text(model, columns, tables[model.__name__])
        step(count)


def written(part: Share) -> Iterator[tuple[int, dict[str, bytes]]]:
    """The batches of ``part``; runs in a process of its own."""
    return part.written(BATCH)
