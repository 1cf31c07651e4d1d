"""What the Entitlement road shows: policies with their documents, facilities with residents."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from random import Random

from django.conf import settings
from django.utils import timezone

from sangyu.care.policies import selectors as policies
from sangyu.care.policies import services as writing
from sangyu.care.policies.models import PolicyVersion
from sangyu.engines.policy import shipped
from sangyu.kernel.models import Share
from sangyu.registry.accounts.models import Account
from sangyu.registry.documents import services as documents
from sangyu.registry.documents.models import Document
from sangyu.registry.facilities.enums import FactKind, Kind, State, UrbanRural
from sangyu.registry.facilities.models import Facility, FacilityFact, Stay
from sangyu.registry.people import services as people
from sangyu.registry.people.models import PersonFact
from sangyu.registry.regions.models import Region

from .accounts import Accounts, acting
from .copying import SOURCE
from .places import Place

#: Kind → how many in each county, beds, names.
HOUSES = (
    (Kind.INSTITUTION, 2, 60, ("福寿养老院", "夕阳红养老院")),
    (Kind.NURSING_HOME, 1, 40, ("康宁护理院",)),
    (Kind.DAY_CARE, 3, 0, ("日间照料中心",)),
    (Kind.MUTUAL_AID, 2, 0, ("互助幸福院",)),
    (Kind.STATION, 2, 0, ("居家养老服务站",)),
    (Kind.CANTEEN, 1, 0, ("老年食堂",)),
)


@dataclass
class Entitlement:
    """The city's officers, documents, policies and places; ``needy`` in the order of the register."""

    city: Region
    counties: list[Region]
    towns: list[Place]
    now: datetime
    seed: str
    accounts: Accounts
    rng: Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = Random(f"{self.seed} entitlement")

    @property
    def today(self) -> date:
        return timezone.localdate(self.now)

    # ------------------------------------------------------------ rules
    def officers(self) -> int:
        """A second officer and a second accountant: nobody approves or releases what they prepared."""
        self.accounts.make("bureau2", "周立新", "bureau", self.city, title="养老服务科副科长")
        self.accounts.make("finance2", "郑桂芳", "finance", self.city, title="出纳复核")
        return 2

    def policies(self) -> int:
        """The shipped policies of the city, each allowed by its document, written by one officer and approved by another."""
        folder = Path(settings.DATA) / "policies"
        texts = shipped.texts(folder, self.city.code, [county.code for county in self.counties])
        author, approver = acting("bureau"), acting("bureau2")
        texts = [(name, text) for name, text in texts if not writing.check(text, name)[1]]
        for name, text in texts:
            self._document(author, policies.read_text(text, name))
        writing.load(actor=author, files=texts)
        drafts = PolicyVersion.objects.filter(state="draft").order_by("valid_from", "code", "number")
        for pk, path, code, begins in drafts.values_list("pk", "path", "code", "valid_from"):
            document = self._of(policies.read_text(PolicyVersion.objects.get(pk=pk).text), path)
            moment = timezone.make_aware(datetime.combine(min(begins, self.today), datetime.min.time()))
            writing.approve(actor=approver, version_id=pk, document_id=document.pk if document else None, now=moment)
            assert code
        return len(texts)

    def _document(self, author, policy) -> None:
        if self._of(policy, self.city.path) is not None:
            return
        documents.add(
            actor=author, number=policy.document.number[:60], title=(policy.document.title or policy.name)[:200],
            issuer="民政部门（演示）", level="city", kind="measures", issued_on=policy.valid_from, valid_from=policy.valid_from,
        )  # fmt: skip

    def _of(self, policy, path: str) -> Document | None:
        named = policy.document
        rows = Document.objects.filter(path=path)
        if named.number:
            return rows.filter(number=named.number).first()
        return rows.filter(title=(named.title or policy.name)[:200]).first()

    # ------------------------------------------------------------ places
    def facilities(self) -> int:
        """A dozen places a county, with ratings and inspections; who lives in an institution lives in one of them."""
        made: list[Facility] = []
        by_county: dict[str, list[Place]] = defaultdict(list)
        for town in self.towns:
            by_county[town.path[:12]].append(town)
        for county in self.counties:
            towns = by_county.get(county.path) or [county]
            for kind, count, beds, names in HOUSES:
                made += [self._facility(county, towns, kind, n, beds, names) for n in range(count)]
        Facility.objects.bulk_create(made)
        facts = [fact for f in made for fact in self._facts(f)]
        FacilityFact.objects.bulk_create(facts)
        return len(made) + self._stays([f for f in made if Kind(f.kind).houses])

    def _facility(self, county: Region, towns: list, kind: Kind, n: int, beds: int, names: tuple) -> Facility:
        town = towns[(n * 7) % len(towns)]
        rural = kind == Kind.MUTUAL_AID
        label = county.name.removesuffix("区").removesuffix("市")
        return Facility(
            name=f"{label}{'第' + '一二三'[n] if len(names) == 1 and n else ''}{names[n % len(names)]}", kind=kind,
            number=f"演示{county.code[:6]}-{kind}-{n + 1}", region_id=getattr(town, "region_id", None) or town.pk,
            path=town.path, beds=beds, opened_on=date(2012 + self.rng.randrange(12), 1 + self.rng.randrange(12), 1),
            urban_rural=UrbanRural.RURAL if rural else UrbanRural.URBAN, address=f"{county.name}（演示地址）",
        )  # fmt: skip

    def _facts(self, facility: Facility) -> list[FacilityFact]:
        moment = timezone.make_aware(datetime.combine(facility.opened_on, datetime.min.time()))
        common = {"subject": facility, "path": facility.path, "source": SOURCE, "recorded_at": moment}
        year = max(facility.opened_on, date(self.today.year - 1, 1, 1))
        found = [FacilityFact(kind=FactKind.STATE, value=State.OPERATING, valid_from=facility.opened_on, **common)]
        if facility.kind in (Kind.INSTITUTION, Kind.NURSING_HOME):
            found.append(
                FacilityFact(kind=FactKind.RATING, value=str(self.rng.randint(1, 5)), valid_from=year, **common)
            )
        if facility.kind in (Kind.DAY_CARE, Kind.MUTUAL_AID):
            result = "fail" if self.rng.random() < 0.15 else "pass"
            found.append(FacilityFact(kind=FactKind.INSPECTION, value=result, valid_from=year, **common))
        return found

    def _stays(self, houses: list[Facility]) -> int:
        """The fact of residence is there; the stay behind it is made as long as there are beds in the county."""
        free = {f.pk: f.beds for f in houses}
        by_county: dict[str, list[Facility]] = defaultdict(list)
        for f in houses:
            by_county[f.path[:12]].append(f)
        held = PersonFact.objects.filter(
            kind="residence", value="institution", superseded_at=None, valid_to=None, subject__died_on=None
        )
        stays = []
        for fact in held.order_by("subject_id"):
            house = next((f for f in by_county.get(fact.path[:12], ()) if free[f.pk]), None)
            if house is None:
                continue
            free[house.pk] -= 1
            stays.append(
                Stay(
                    facility=house, person_id=fact.subject_id, path=fact.path, bed=f"{house.beds - free[house.pk]}",
                    valid_from=max(fact.valid_from, house.opened_on), source=SOURCE, recorded_at=fact.recorded_at,
                )
            )  # fmt: skip
        Stay.objects.bulk_create(stays, batch_size=1000)
        return len(stays)

    # ------------------------------------------------------------ people
    def favour(self) -> int:
        """The elders whom the demo's plain sign-ins show get something: they are in hardship since last year."""
        shown = Share.objects.filter(audience="family", kind="person", until=None)
        ids = shown.filter(subject_id__in=Account.objects.filter(username__in=["elder", "family"]).values("pk"))
        begun = date(self.today.year - 1, 1, 1)
        moment = timezone.make_aware(datetime.combine(begun, datetime.min.time()))
        for pk in sorted(set(ids.values_list("object_id", flat=True))):
            for kind, value in (("income_category", "minimum_living"), ("care_level", "2")):
                people.record_fact(
                    actor=acting("bureau"), person_id=pk, kind=kind, value=value, valid_from=begun,
                    source="演示：低保和能力评估", now=moment,
                )  # fmt: skip
        return len(set(ids))
