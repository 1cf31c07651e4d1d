"""What people do about files: pairs to review, a request between counties, questions about one's data, a status list.

Written by the rooms' services, a few rows whatever the size of the city.
"""

from dataclasses import replace
from datetime import date, timedelta

from sangyu.kernel.actor import Actor
from sangyu.kernel.importing import exchange
from sangyu.registry.duplicates import services as duplicates
from sangyu.registry.people import services as people
from sangyu.registry.people.models import Person
from sangyu.registry.privacy import services as privacy
from sangyu.registry.regions.models import Region
from sangyu.registry.transfers import services as transfers

from .accounts import acting

#: Elders of the first community who stand in a second file: known as relatives, so that the city's number of elders stays.
TWICE = 3


def file_work(counties: list[Region], today: date) -> int:
    """All of it; answers how many pieces of work wait."""
    bureau = acting("bureau")
    first, second = counties[0], counties[1] if len(counties) > 1 else counties[0]
    known = list(
        Person.objects.filter(path__startswith=first.path, died_on=None, registered_on__isnull=False)
        .exclude(id_index=None).exclude(phone_index=None).select_related("region").order_by("id")[: TWICE + 6]
    )  # fmt: skip
    made = _twice(bureau, known[:TWICE], today)
    if second != first:
        made += _transfer(replace(bureau, path=second.path, region_name=second.name), known[TWICE], second, today)
    made += _requests(bureau, known[TWICE + 1 : TWICE + 3])
    return made + _list(replace(bureau, path=first.path, region_name=first.name), known[TWICE + 3 :], today)


def _twice(bureau: Actor, elders: list[Person], today: date) -> int:
    """A second file of each, as another list had them; the search of their community finds the pairs."""
    for elder in elders:
        people.register(
            actor=bureau, name=elder.name, region_id=elder.region_id, source="演示：家属名册", sex=elder.sex,
            birth_date=elder.birth_date, phone=elder.phone, address=elder.address, elder=False, today=today,
        )  # fmt: skip
    found = 0
    for path in sorted({e.path for e in elders}):
        found += duplicates.search(actor=replace(bureau, path=path)).new
    return found


def _transfer(asking: Actor, elder: Person, county: Region, today: date) -> int:
    """Another county asks for the file of somebody who moved there."""
    region = Region.objects.filter(path__startswith=county.path, level=5, valid_to=None).order_by("path").first()
    transfers.request(
        actor=asking, id_number=elder.id_number, name=elder.name, region_id=region.pk, moved_on=today - timedelta(days=12),
        reason="随子女居住", evidence="居住证（演示）",
    )  # fmt: skip
    return 1


def _requests(bureau: Actor, elders: list[Person]) -> int:
    """Somebody wants a copy, somebody has an address corrected; one is in work."""
    copy, wrong = elders
    privacy.enter_paper(
        actor=bureau, person_id=copy.pk, kind="copy", asked_name=copy.name, details="想了解登记了哪些信息"
    )
    row = privacy.enter_paper(
        actor=bureau, person_id=wrong.pk, kind="correction", asked_name=wrong.name, field="address",
        wanted=f"{wrong.address}（新址）",
    )  # fmt: skip
    privacy.take(actor=bureau, request_id=row.pk)
    return 2


def _list(county: Actor, elders: list[Person], today: date) -> int:
    """A list of the health bureau: one line agrees, one status is to begin, one name contradicts, one person is unknown."""
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    rows = [{"name": e.name, "id_number": e.id_number, "region": e.region.code} for e in elders]
    rows[-1]["name"] = rows[-1]["name"][0] + "某某"
    rows.append({"name": "孙不在册", "birth_date": "1944-05-06", "region": elders[0].region.code})
    settings = {"list_kind": "lost_only_child", "month": f"{month:%Y-%m}", "authority": "卫生健康局（演示）"}
    people.state_facts(
        actor=county,
        kind="lost_only_child",
        stated=[(elders[0].pk, "yes", "演示")],
        valid_from=month - timedelta(days=300),
    )
    exchange.hand_over(actor=county, kind="statuslists.list", key="demo-1", rows=rows, settings=settings)
    return len(rows)
