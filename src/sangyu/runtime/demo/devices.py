"""Devices of the demo city: watches as in S0 (3,920 for 549,000 elders), canes, buttons, pendants, mattresses in institutions."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random

from django.utils import timezone

from sangyu.kernel.actor import Actor
from sangyu.kernel.crypto import blind_index
from sangyu.kernel.identity import phone_digits
from sangyu.kernel.models import Share
from sangyu.registry.devices import services
from sangyu.registry.devices.enums import Action, State
from sangyu.registry.devices.models import ICCID_PURPOSE, SIM_PURPOSE, Binding, Device, DeviceLog, Fee, Repair, Setting
from sangyu.registry.devices.selectors import product
from sangyu.registry.facilities.models import Stay
from sangyu.registry.people.enums import GivenBy, Proof, Purpose
from sangyu.registry.people.models import Consent, Contact, HealthNote, Person, PersonFact
from sangyu.registry.regions.models import Region

from .copying import ACTOR, SOURCE

#: S0: 3,920 watches among 549,000 elders; the others per watch.
WATCHES, AMONG, LEAST = 3_920, 549_000, 40
SHARES = {"pendant-h02": 0.12, "cane-gt06": 0.10, "button-zigbee": 0.15}
#: Of a hundred devices: in stock, back and not checked, in repair, lost, retired; the rest is with somebody.
RESTING = ((State.STOCK, 7), (State.RETURNED, 2), (State.REPAIR, 2), (State.LOST, 2), (State.RETIRED, 1))
#: In these the wearer keeps it; in stock and the like nobody has it.
KEPT = (State.ISSUED, State.REPAIR, State.LOST)
MATTRESSES = 30
VENDOR = "演示终端厂家售后"


#: What old people often have, with what they often take for it.
ILLNESSES = (
    (("condition", "高血压"), ("medicine", "氨氯地平 5mg 每日一次")),
    (("condition", "2型糖尿病"), ("medicine", "二甲双胍 0.5g 每日两次")),
    (("condition", "冠心病"), ("medicine", "阿司匹林 100mg 每日一次")),
    (("condition", "脑梗死后遗症"),),
    (("condition", "慢性阻塞性肺疾病"), ("medicine", "沙丁胺醇气雾剂 必要时")),
)


class Devices:
    """Rows of one build; the same city, day and number of elders give the same devices."""

    def __init__(self, region: Region, counties: list[Region], now: datetime, seed: str) -> None:
        self.counties = sorted(counties, key=lambda c: c.path)
        self.region, self.now, self.today = region, now, timezone.localdate(now)
        self.rng = Random(f"{seed} devices")
        self.devices: list[Device] = []
        self.bindings: list[Binding] = []
        self.repairs: list[Repair] = []
        self.log: list[DeviceLog] = []

    def build(self, actor: Actor) -> int:
        elders = Person.objects.filter(registered_on__isnull=False, died_on__isnull=True).count()
        watches = max(LEAST, round(elders * WATCHES / AMONG))
        persons = self._wearers(watches)
        self._make("watch-3g", persons, watches)
        for code, share in SHARES.items():
            count = max(4, round(watches * share))
            self._make(code, persons[:: max(1, len(persons) // count)], count)
        self._mattresses()
        Device.objects.bulk_create(self.devices, batch_size=1000)
        for rows in (self.bindings, self.repairs, self.log):
            for row in rows:
                row.device_id = row.device.pk
            type(rows[0]).objects.bulk_create(rows, batch_size=1000)
        self._consents(persons[:watches])
        self._numbers()
        self._fees(actor)
        return len(self.devices)

    def _wearers(self, wanted: int) -> list[Person]:
        """Elders of the sign-ins first, then those who live alone, then any; spread over the city."""
        first = list(Share.objects.filter(kind="person", audience="family").values_list("object_id", flat=True)[:20])
        alone = list(
            PersonFact.objects.filter(kind="living", value="alone", superseded_at=None, valid_to=None)
            .order_by("subject_id").values_list("subject_id", flat=True)
        )  # fmt: skip
        if len(alone) < wanted:
            alone += list(Person.objects.order_by("pk").values_list("pk", flat=True)[: 3 * wanted])
        ids = list(dict.fromkeys([*sorted(set(first)), *alone[:: max(1, len(alone) // wanted)]]))
        live = Person.objects.filter(pk__in=ids, died_on=None, restricted_at=None, registered_on__isnull=False)
        found = {p.pk: p for p in live.only("pk", "path", "name")}
        return [found[pk] for pk in ids if pk in found]

    def _make(self, code: str, persons: list[Person], count: int) -> None:
        known = product(code)
        states = [s for s, share in RESTING for _n in range(max(1, round(count * share / 100)))][: count // 2]
        states = [*[State.ISSUED] * (count - len(states)), *states]
        wearers = iter(persons)
        for n, state in enumerate(states):
            person = next(wearers, None) if state in KEPT else None
            if state == State.ISSUED and person is None:
                state = State.STOCK
            home = next((c for c in self.counties if person and person.path.startswith(c.path)), None)
            home = home or self.counties[n % len(self.counties)]
            received = self.today - timedelta(days=self.rng.randint(120, 700))
            serial = len(self.devices) + 1
            sim = f"1064{serial:09d}"
            card = f"898600{serial:013d}"
            device = Device(
                product=code, kind=known.kind, protocol=known.protocol, identity=_number(known.protocol, serial),
                serial=f"演示-{serial:05d}", iccid=card, iccid_index=blind_index(card, ICCID_PURPOSE), sim_phone=sim,
                sim_index=blind_index(phone_digits(sim), SIM_PURPOSE), region=home, path=person.path if person else home.path,
                person=person, state=state, service_fee=1_000 if known.kind == "watch" else 0, sim_fee=500,
                warranty_until=received + timedelta(days=730), received_on=received,
            )  # fmt: skip
            self.devices.append(device)
            self._walk(device, person, _at(received))

    def _walk(self, device: Device, person: Person | None, begun: datetime) -> None:
        """The trail that led to the state, with binding and repair."""
        self._step(device, Action.RECEIVE, "", State.STOCK, begun)
        issued = begun + timedelta(days=self.rng.randint(3, 90), hours=9)
        if person is not None:
            self.bindings.append(
                Binding(
                    device=device, person=person, path=person.path, issued_at=issued, issued_by=ACTOR, source=SOURCE,
                    deposit=self.rng.choice((0, 0, 10_000)),
                )
            )  # fmt: skip
            self._step(device, Action.ISSUE, State.STOCK, State.ISSUED, issued)
        last = State.ISSUED if person else State.STOCK
        at = self.now - timedelta(days=self.rng.randint(2, 20))
        if device.state == State.REPAIR:
            self.repairs.append(Repair(device=device, sent_on=timezone.localdate(at), vendor=VENDOR, fault="无法开机"))
            self._step(device, Action.REPAIR, last, State.REPAIR, at)
        elif device.state == State.LOST:
            self._step(device, Action.LOSE, last, State.LOST, at, "外出后找不到")
        elif device.state == State.RETIRED:
            self._step(device, Action.RETIRE, State.STOCK, State.RETIRED, at, "进水报废")

    def _step(self, device, action: str, source: str, target: str, at: datetime, reason: str = "") -> None:
        self.log.append(
            DeviceLog(device=device, action=action, source=source, target=target, at=at, actor=ACTOR, reason=reason)
        )

    def _mattresses(self) -> None:
        """On beds that somebody has, a few a house."""
        known, taken = product("mattress-alink"), defaultdict(int)
        stays = (
            Stay.objects.filter(valid_to=None).exclude(bed="").select_related("facility").order_by("facility_id", "pk")
        )
        for stay in stays:
            if len([d for d in self.devices if d.product == known.code]) >= MATTRESSES or taken[stay.facility_id] >= 6:
                continue
            taken[stay.facility_id] += 1
            house, serial = stay.facility, len(self.devices) + 1
            received = max(self.today - timedelta(days=400), house.opened_on)
            device = Device(
                product=known.code, kind=known.kind, protocol=known.protocol, identity=_number(known.protocol, serial),
                serial=f"演示-{serial:05d}", region_id=house.region_id, path=house.path, facility=house, state=State.ISSUED,
                received_on=received,
            )  # fmt: skip
            self.devices.append(device)
            self._step(device, Action.RECEIVE, "", State.STOCK, _at(received))
            self._step(device, Action.ISSUE, State.STOCK, State.ISSUED, _at(received) + timedelta(days=1))
            self.bindings.append(
                Binding(
                    device=device, facility=house, path=house.path, room=f"{1 + taken[stay.facility_id] // 4}0{taken[stay.facility_id]}",
                    bed=stay.bed, issued_at=_at(received) + timedelta(days=1), issued_by=ACTOR, source=SOURCE,
                )
            )  # fmt: skip

    def _consents(self, persons: list[Person]) -> None:
        """Nine of ten agreed to position, eight of ten to health data."""
        asked = {b.person_id: b for b in self.bindings if b.person_id}
        given = []
        for purpose, share in ((Purpose.LOCATION, 0.9), (Purpose.HEALTH_DATA, 0.8)):
            held = set(
                Consent.objects.filter(
                    person_id__in=list(asked), purpose=purpose, contact=None, withdrawn_on=None
                ).values_list("person_id", flat=True)
            )
            given += [
                Consent(
                    person_id=pk, path=b.path, purpose=purpose, version="2026-1", given_by=GivenBy.SELF,
                    given_on=timezone.localdate(b.issued_at), proof=Proof.PAPER,
                )
                for pk, b in asked.items()
                if pk not in held and self.rng.random() < share
            ]  # fmt: skip
        Consent.objects.bulk_create(given, batch_size=1000)
        self._health([c for c in given if c.purpose == Purpose.HEALTH_DATA])

    def _health(self, agreed: list[Consent]) -> None:
        """What seven of ten who agreed told about their health: a condition or two, the medicine for it, rarely an allergy."""
        made = []
        for c in agreed:
            if self.rng.random() > 0.7:
                continue
            told = [
                (kind, said)
                for illness in self.rng.sample(ILLNESSES, self.rng.choice((1, 1, 2)))
                for kind, said in illness
            ]
            told += [("allergy", self.rng.choice(("青霉素", "磺胺类药物", "海鲜")))] * (self.rng.random() < 0.15)
            made += [
                HealthNote(person_id=c.person_id, path=c.path, kind=kind, words=said, source=SOURCE, recorded_by=ACTOR)
                for kind, said in told
            ]
        HealthNote.objects.bulk_create(made, batch_size=1000)

    def _numbers(self) -> None:
        """SOS numbers: the first two contacts with a telephone."""
        wearers = {
            b.person_id: b.device for b in self.bindings if b.person_id and b.device.kind in ("watch", "pendant")
        }
        contacts: dict[int, list[int]] = defaultdict(list)
        rows = Contact.objects.filter(person_id__in=list(wearers), phone__isnull=False).order_by("priority", "pk")
        for pk, person in rows.values_list("pk", "person_id"):
            contacts[person].append(pk)
        Setting.objects.bulk_create(
            Setting(device=device, sos_contacts=contacts[person][:2], quiet_from=time(22), quiet_to=time(6))
            for person, device in wearers.items()
            if contacts[person]
        )

    def _fees(self, actor: Actor) -> None:
        """Two months; the earlier one is paid."""
        this = self.today.replace(day=1)
        last = (this - timedelta(days=1)).replace(day=1)
        for month in (last, this):
            services.charge_month(actor=replace(actor, path=self.region.path), month=month, today=self.today)
        Fee.objects.filter(month=last).update(paid_on=this, reference="演示凭证")


def _at(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(9)))


def _number(protocol: str, serial: int) -> str:
    """A made-up number of the form that the protocol has."""
    if protocol == "watch":
        return f"99{serial:08d}"
    if protocol in ("h02", "gt06"):
        return f"8699990{serial:08d}"
    return f"demo-{serial:05d}"
