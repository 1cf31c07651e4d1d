"""Elders drawn from the shares of ``shares``: one community at a time, the same from the same seed."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from sangyu.kernel.identity import check_character
from sangyu.registry.people.enums import (
    FactKind,
    IncomeCategory,
    Living,
    Relation,
    Residence,
)

from . import draws, names, shares
from .phones import ELDER, RELATIVE, demo_phone
from .places import Place

#: The database of elders in special difficulty (R-023): who is in it has this source.
DIFFICULT_SOURCE = "演示：特殊困难老人能力调查摸底"
DIFFICULT_SURVEY = date(2019, 1, 7), date(2019, 4, 26)
REGISTER_BEGAN = date(2019, 5, 6)
#: Counties where people of the city were born who came from elsewhere; one in twelve.
ELSEWHERE = ("210302", "210381", "211102", "211121", "210682", "210921", "211224", "220102", "230102", "370602")
#: What a condition asks of whoever comes; the condition itself is a health note, which has its own consent.
_NEEDS = {
    "高血压": "每周上门测一次血压",
    "糖尿病": "送餐要少糖",
    "心脏病": "不能提重物，上楼要歇脚",
    "脑卒中后遗症": "行动不便，走路要搀扶",
}
_MORE_NEEDS = (
    "听力不好，请按门铃并稍等",
    "视力差，讲话请靠近",
    "家中养狗，请先打电话",
    "只吃软食",
    "楼道无灯，晚间请带手电",
)


@dataclass(slots=True)
class Elder:
    """One drawn person; the writer turns it into rows."""

    id: int
    name: names.Name
    sex: str
    birth: date
    age: int
    id_number: str
    phone: str
    address: str
    latitude: float | None
    longitude: float | None
    registered_on: date
    source: str
    marriage: str
    education: str
    ethnicity: str
    needs: str
    registered_address: str = ""
    died_on: date | None = None
    checked_on: date | None = None
    household: int | None = None
    spouse: "Elder | None" = None
    living: str = ""
    #: (kind, value, from, to or None, recorded on, superseded on or None, source)
    facts: list[tuple] = field(default_factory=list)
    #: (name, relation, phone, priority, carer, lives with)
    contacts: list[tuple] = field(default_factory=list)
    #: (purpose, given on, position of the contact or None)
    consents: list[tuple] = field(default_factory=list)


class Numbers:
    """ID numbers with sequence 999–950 downwards (odd for men), each once; a full day passes people on to the next.

    Of ``parts`` that are drawn apart each takes every ``parts``-th number, so that none is given twice.
    """

    def __init__(self, part: int = 0, parts: int = 1) -> None:
        self._used: dict[int, int] = {}
        self._part, self._parts = part, parts

    def take(self, area: str, born: date, sex: str) -> tuple[str, date]:
        """(number, birth date): the day asked for, or the nearest earlier one with a free sequence."""
        while True:
            key = (int(area) * 10_000_000 + born.toordinal()) * 2 + (sex == "2")
            n = self._used.get(key, self._part)
            if n < 25:
                break
            born -= timedelta(days=1)
        self._used[key] = n + self._parts
        first17 = f"{area}{born.isoformat().replace('-', '')}{(999 if sex == '1' else 998) - 2 * n}"
        return first17 + check_character(first17), born


@dataclass
class Draw:
    """What all communities of one city share while drawing."""

    today: date
    seed: str
    next_id: int
    #: serial number of an elder of the difficulty database → disabled (else partly)
    difficult: dict[int, bool]
    numbers: Numbers = field(default_factory=Numbers)
    serial: int = 0
    next_household: int = 0
    relatives: int = 0

    def community(self, place: Place, living: int, dead: int) -> tuple[list[Elder], list[tuple]]:
        """The elders of ``place`` and its households (id, address, housing, floor, lift)."""
        rng = Random(f"{self.seed} {place.code}")
        people = [self._elder(rng, place) for _i in range(living)]
        _marry(rng, people)
        households = self._households(rng, place, people)
        for e in people:
            self._relatives(rng, e)
        people += [self._dead(rng, place) for _i in range(dead)]
        return people, households

    # ------------------------------------------------------------ one person
    def _elder(self, rng: Random, place: Place) -> Elder:
        disabled = self.difficult.get(self.serial)
        self.serial += 1
        age = draws.age(rng)
        while disabled is not None and age < 70:  # the survey of 2019 asked people of 60 and more
            age = draws.age(rng)
        e = self._person(rng, place, age)
        if disabled is not None:
            first, last = DIFFICULT_SURVEY
            e.source = DIFFICULT_SOURCE
            e.registered_on = first + timedelta(days=rng.randrange((last - first).days))
        group = shares.group(age)
        living, residence = draws.living(rng, group if disabled is None else 70, at_home=disabled is not None)
        e.living = living
        income = draws.income(rng, residence, hard=disabled is not None)
        care = draws.care_level(rng, group, disabled)
        self._facts(rng, place, e, living, residence, income, care)
        e.marriage = draws.marriage(rng, e.age, living)
        if care > "0" or rng.random() < 0.25:
            needs = [_NEEDS[name] for name, share in shares.CONDITIONS if rng.random() * 100 < share]
            if rng.random() < 0.12:
                needs.append(rng.choice(_MORE_NEEDS))
            e.needs = "；".join(needs)
        _consent(rng, e, self.today)
        return e

    def _person(self, rng: Random, place: Place, age: int) -> Elder:
        sex = "2" if rng.random() * 100 < shares.WOMEN[shares.group(age)] else "1"
        born = self.today - timedelta(days=int((age + rng.random()) * 365.2425) + 1)
        area = place.area if rng.random() < 11 / 12 else rng.choice(ELSEWHERE)
        number, born = self.numbers.take(area, born, sex)
        address, _floor, _lift = place.home(rng)
        latitude, longitude = place.point(rng)
        turned_60 = born + timedelta(days=21_915)
        begun = max(REGISTER_BEGAN, min(turned_60, self.today - timedelta(days=3)))
        registered = begun + timedelta(days=int((self.today - begun).days * rng.random() ** 1.6))
        pk, self.next_id = self.next_id, self.next_id + 1
        has_phone = rng.random() * 100 < shares.OWN_PHONE
        known_id = rng.random() < 0.965
        return Elder(
            id=pk,
            name=names.draw(rng, sex, born.year),
            sex=sex,
            birth=born,
            age=age,
            id_number=number if known_id else "",
            phone=demo_phone(ELDER, pk) if has_phone else "",
            address=address if rng.random() < 0.97 else "",
            latitude=latitude if rng.random() < 0.9 else None,
            longitude=longitude,
            registered_on=registered,
            source=draws.SOURCE.spin(rng),
            marriage="",
            education=draws.education(rng, born.year) if rng.random() < 0.7 else "",
            ethnicity=draws.ETHNICITY.spin(rng),
            needs="",
            registered_address=address if area == place.area and rng.random() < 0.6 else "",
            checked_on=self.today - timedelta(days=rng.randrange(20, 400)) if rng.random() < 0.6 else None,
        )

    def _dead(self, rng: Random, place: Place) -> Elder:
        e = self._person(rng, place, max(draws.age(rng), rng.randint(66, 94)))
        died = self.today - timedelta(days=rng.randrange(5, 730))
        e.died_on = died
        e.registered_on = min(e.registered_on, died - timedelta(days=rng.randrange(60, 900)))
        e.checked_on = None
        self._facts(rng, place, e, Living.WITH_FAMILY, Residence.HOME, IncomeCategory.ORDINARY, rng.choice(draws.CARE))
        return e

    # ------------------------------------------------------------ dated facts
    def _facts(self, rng: Random, place: Place, e: Elder, living: str, residence: str, income: str, care: str) -> None:
        start, facts = e.registered_on, e.facts
        difficult = e.source == DIFFICULT_SOURCE

        def add(kind: str, value: str, since: date = start, source: str = e.source) -> None:
            facts.append((kind, value, since, None, since, None, source))

        add(FactKind.REGION, str(place.region_id))
        if difficult:
            add(FactKind.DIFFICULT, "yes", source=DIFFICULT_SOURCE)
        if difficult or rng.random() < 0.96:
            before = Living.EMPTY_NEST if living == Living.ALONE else Living.WITH_FAMILY
            self._changing(rng, e, FactKind.LIVING, before, living, 0.05, "演示：社区走访")
        if residence != Residence.HOME:
            moved = start + timedelta(days=rng.randrange(max((self.today - start).days, 1)))
            add(FactKind.RESIDENCE, residence, moved, "演示：机构入住登记")
        elif rng.random() < 0.5:
            add(FactKind.RESIDENCE, residence)
        if income != IncomeCategory.ORDINARY:
            self._changing(
                rng, e, FactKind.INCOME_CATEGORY, IncomeCategory.ORDINARY, income, 0.15, "演示：低保系统比对"
            )
            if income in (IncomeCategory.DESTITUTE_HOME, IncomeCategory.DESTITUTE_CENTRAL):
                if rng.random() < shares.THREE_NO / shares.DESTITUTE:
                    add(FactKind.THREE_NO, "yes", source="演示：特困人员认定")
            elif not place.urban and rng.random() < 0.2:
                add(FactKind.POVERTY_REGISTER, "yes", source="演示：建档立卡名单")
        elif rng.random() < 0.6:
            add(FactKind.INCOME_CATEGORY, income)
        if difficult or care != "0" or rng.random() < 0.8:
            before = draws.CARE[max(int(care) - 1, 0)]
            self._changing(rng, e, FactKind.CARE_LEVEL, before, care, 0.1 if care > "0" else 0, "演示：老年人能力评估")
        if care == "4" and rng.random() < 0.55:
            add(FactKind.BEDRIDDEN, "yes", source="演示：老年人能力评估")
        if rng.random() * 100 < shares.DEMENTIA[shares.group(e.age)]:
            add(FactKind.DEMENTIA, draws.DEMENTIA.spin(rng), source="演示：认知筛查")
        if rng.random() * 100 < shares.DISABILITY:
            category = draws.DISABILITY.spin(rng)
            grade = draws.GRADE.spin(rng)
            add(FactKind.DISABILITY, f"{category}-{grade}", source="演示：残联比对")
        if rng.random() * 100 < shares.LOST_ONLY_CHILD:
            add(FactKind.LOST_ONLY_CHILD, "yes", source="演示：卫健部门名单")
        if rng.random() * 100 < shares.SPECIAL_GROUP:
            add(
                FactKind.SPECIAL_GROUP,
                draws.SPECIAL.spin(rng),
                source="演示：退役军人事务部门名单",
            )
        if rng.random() < 0.3:
            add(FactKind.URBAN_RURAL, "urban" if place.urban else "rural")

    def _changing(self, rng: Random, e: Elder, kind: str, before: str, now: str, share: float, source: str) -> None:
        """``now`` from registration on; for a ``share`` of people, from a later day after ``before``, as the service writes it."""
        start, days = e.registered_on, (min(e.died_on or self.today, self.today) - e.registered_on).days
        if before == now or days < 40 or rng.random() >= share:
            e.facts.append((kind, now, start, None, start, None, e.source))
            return
        changed = start + timedelta(days=rng.randrange(20, days - 10))
        known = changed + timedelta(days=rng.randrange(0, 8))
        e.facts += [
            (kind, before, start, None, start, known, e.source),
            (kind, before, start, changed, known, None, e.source),
            (kind, now, changed, None, known, None, source),
        ]

    # ------------------------------------------------------------ people around
    def _households(self, rng: Random, place: Place, people: list[Elder]) -> list[tuple]:
        """One for each couple, and for some who live alone."""
        rows = []
        for e in people:
            if e.household is not None or not (e.spouse or (e.living == Living.ALONE and rng.random() < 0.5)):
                continue
            address, floor, lift = place.home(rng)
            pk, self.next_household = self.next_household, self.next_household + 1
            housing = draws.HOUSING.spin(rng)
            rows.append((pk, address, housing, floor, lift))
            for member in filter(None, (e, e.spouse)):
                member.household, member.address = pk, address
                member.latitude, member.longitude = e.latitude, e.longitude
        return rows

    def _relatives(self, rng: Random, e: Elder) -> None:
        reachable = rng.random() * 100 < shares.RELATIVE
        if reachable and e.spouse is not None and e.spouse.phone and rng.random() < 0.6:
            s = e.spouse
            e.contacts.append((s.name.text, Relation.SPOUSE, s.phone, 1, False, True))
        if reachable:
            family = (
                e.name.text[:1] if e.sex == "1" else e.spouse.name.text[:1] if e.spouse else names.draw_surname(rng)
            )
            for _child in range(2 if rng.random() < 0.3 else 1):
                son = rng.random() < 0.52
                name = names.named(family, names.draw_given(rng, "1" if son else "2", e.birth.year + 26)).text
                self.relatives += 1
                at_home = e.living == Living.WITH_FAMILY and len(e.contacts) == 0
                e.contacts.append(
                    (
                        name,
                        Relation.SON if son else Relation.DAUGHTER,
                        demo_phone(RELATIVE, self.relatives),
                        len(e.contacts) + 1,
                        at_home and rng.random() < 0.3,
                        at_home,
                    )
                )
        elif not e.contacts and rng.random() < 0.6:
            self.relatives += 1
            name = names.draw(rng, rng.choice("12"), 1962).text
            kind = rng.choice((Relation.NEIGHBOUR, Relation.COMMUNITY, Relation.FRIEND))
            e.contacts.append((name, kind, demo_phone(RELATIVE, self.relatives), 1, False, False))
        children = [i for i, c in enumerate(e.contacts) if c[1] in (Relation.SON, Relation.DAUGHTER)]
        if children and rng.random() < 0.06:
            e.consents.append(("family_view", draws.later(rng, e.registered_on, self.today), children[0]))


# ---------------------------------------------------------------- consent and marriage
def _consent(rng: Random, e: Elder, today: date) -> None:
    for purpose, share in (("share_provider", 0.3), ("health_data", 0.18), ("photo", 0.1)):
        if rng.random() < share:
            e.consents.append((purpose, draws.later(rng, e.registered_on, today), None))


def _marry(rng: Random, people: list[Elder]) -> None:
    """Pair men and women who live with the spouse only, by age; who is left has a spouse too young for the register."""
    alone = [e for e in people if e.living == Living.EMPTY_NEST]
    men = sorted((e for e in alone if e.sex == "1"), key=lambda e: e.birth)
    women = sorted((e for e in alone if e.sex == "2"), key=lambda e: e.birth)
    for man, woman in zip(men, women, strict=False):
        man.spouse, woman.spouse = woman, man
