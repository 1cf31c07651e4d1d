"""Whose the messages of many devices are, at any moment of the last days: what the intake of signals asks with every batch. Exported by ``selectors``."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sangyu.kernel import quick


@dataclass(slots=True)
class Stretch:
    """With whom, or where, from moment to moment; milliseconds since 1970 UTC, ``until`` None = still."""

    since: int
    until: int | None
    path: str
    person_id: int | None
    facility_id: int | None
    room: str
    bed: str


@dataclass(slots=True)
class Bearer:
    """A device with its stretches, the latest first. ``path`` is where it lies when nobody has it."""

    product: str
    path: str
    stretches: list[Stretch] = field(default_factory=list)

    def at(self, moment: int) -> Stretch | None:
        for stretch in self.stretches:
            if stretch.since <= moment:
                return stretch if stretch.until is None or moment < stretch.until else None
        return None


_ASK = """
SELECT d.id, d.product, d.path, (extract(epoch FROM b.issued_at) * 1000)::bigint, (extract(epoch FROM b.returned_at) * 1000)::bigint,
       b.path, b.person_id, b.facility_id, b.room, b.bed
  FROM devices_device d
  LEFT JOIN devices_binding b ON b.device_id = d.id AND (b.returned_at IS NULL OR b.returned_at > to_timestamp(%s / 1000.0))
 WHERE d.id = ANY (%s::bigint[]) ORDER BY d.id, b.issued_at DESC
"""


def bearers(device_ids: Iterable[int], since: int) -> dict[int, Bearer]:
    """Device → its bearer with the stretches that reach beyond ``since`` (milliseconds); unknown ones are left out. One query; who lies in a bed is asked of the list of residents by the caller."""
    found: dict[int, Bearer] = {}
    for pk, product, path, begun, until, where, person, facility, room, bed in quick.rows(
        _ASK, [since, quick.array(device_ids)]
    ):
        made = found.get(pk)
        if made is None:
            made = found[pk] = Bearer(product, path)
        if begun is not None:
            made.stretches.append(Stretch(begun, until, where, person, facility, room, bed))
    return found
