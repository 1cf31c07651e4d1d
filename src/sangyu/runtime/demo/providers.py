"""Providers of every legal form (R-006), their licences, contracts, prices and workers; all through the rooms' services."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from django.conf import settings
from django.utils.timezone import make_aware

from sangyu.kernel.actor import Actor
from sangyu.kernel.identity import check_character
from sangyu.registry.catalogue import selectors
from sangyu.registry.catalogue import services as catalogue
from sangyu.registry.organisations import services as organisations
from sangyu.registry.organisations.credit_code import check_character as credit_check
from sangyu.registry.organisations.enums import LegalForm
from sangyu.registry.organisations.models import Organisation
from sangyu.registry.organisations.services import Line
from sangyu.registry.regions.models import Region
from sangyu.registry.workforce import services as workforce
from sangyu.registry.workforce.models import Worker

from . import names
from .accounts import Accounts
from .phones import PROVIDER, WORKER, demo_phone
from .places import Place
from .seeds import CERTIFICATES, EXPIRED, MARKET, POSTS, SEEDS, SUSPENDED, Seed


@dataclass
class Provision:
    """Builds providers and workers of one city as ``actor``; counts what it made."""

    actor: Actor
    accounts: Accounts
    city: Region
    counties: list[Region]
    places: list[Place]
    today: date
    seed: str
    phones: int = 0
    numbers: int = 0

    @property
    def since(self) -> date:
        """First day of contracts and prices: 1 January of the year in which the demo's oldest order lies."""
        return date((self.today - timedelta(days=100)).year, 1, 1)

    def catalogue(self) -> int:
        """Publish the shipped catalogue for the city; returns the number of items."""
        path = Path(settings.DATA) / "catalogue" / "s1.yaml"
        loaded = catalogue.load_catalogue(
            actor=self.actor,
            region=self.city,
            text=path.read_text(encoding="utf-8"),
            filename=path.name,
            today=self.today,
        )
        return loaded.created + loaded.changed + loaded.unchanged

    def build(self) -> tuple[int, int]:
        """All providers with their workers; returns both numbers."""
        made: dict[str, Organisation] = {}
        workers = 0
        for position, seed in enumerate(SEEDS, 1):
            rng = Random(f"{self.seed} provider {position}")
            organisation = self._organisation(rng, position, seed, made)
            made[organisation.short_name] = organisation
            manager = names.draw(rng, rng.choice("12"), rng.randint(1972, 1990)).text
            account = "manager" if position == 1 else f"manager{position:02d}"
            self.accounts.make(
                account,
                manager,
                "provider_manager",
                organisation.region,
                title=organisation.short_name,
                subject_id=organisation.pk,
            )
            for n in range(seed.workers):
                self._worker(rng, seed, organisation, n, workers)
                workers += 1
            if organisation.short_name == SUSPENDED:
                organisations.suspend(
                    actor=self.actor,
                    organisation_id=organisation.pk,
                    reason="演示：安全检查不合格，限期整改",
                    now=self._at(-12),
                )
        return len(made), workers

    # ------------------------------------------------------------ one provider
    def _organisation(self, rng: Random, position: int, seed: Seed, made: dict[str, Organisation]) -> Organisation:
        county = None if seed.county is None else self.counties[seed.county % len(self.counties)]
        own = [p for p in self.places if county is None or p.path.startswith(county.path)]
        place = rng.choice([p for p in own if p.urban] or own)
        words = {
            "city": self.city.name,
            "county": (county or self.city).name,
            "community": place.name,
            "person": names.draw(rng, "2", 1978).text,
        }
        region = county or self.city
        latitude, longitude = place.point(rng)
        self.phones += 1
        row = organisations.register_organisation(
            actor=self.actor,
            region=region,
            name=seed.name.format(**words),
            short_name=seed.short.format(**words)[:30],
            legal_form=seed.form,
            credit_code=self._credit_code(seed.form, position) if seed.form.has_credit_code else "",
            address=place.home(rng)[0],
            latitude=latitude,
            longitude=longitude,
            phone=demo_phone(PROVIDER, self.phones),
            opening_hours="周一至周日 08:00–18:00",
            introduction="演示机构，并非真实单位。",
        )
        began = self.since - timedelta(days=rng.randint(400, 1500))
        for kind in seed.licences:
            expired = row.short_name == EXPIRED and kind == "food"
            to = self.today - timedelta(days=18) if expired else self.today + timedelta(days=rng.choice((21, 400, 900)))
            organisations.add_licence(
                actor=self.actor, organisation_id=row.pk, kind=kind, number=f"演示{kind[:3].upper()}{position:03d}",
                valid_from=began, valid_to=to, issuer=f"{self.city.name}（演示）",
            )  # fmt: skip
        organisations.set_mode(actor=self.actor, organisation_id=row.pk, mode=seed.mode, valid_from=began)
        organisations.approve(actor=self.actor, organisation_id=row.pk, now=self._moment(self.since))
        if seed.operator:
            organisations.set_operator(actor=self.actor, organisation_id=row.pk, operator_id=made[seed.operator].pk)
        self._offer(seed, row, region, position)
        return row

    def _offer(self, seed: Seed, row: Organisation, region: Region, position: int) -> None:
        """Capability, market prices, and a signed contract with its price list, raised at the middle of the year."""
        items = selectors.items_by_code(list(seed.items), region.path, self.today)
        for category in sorted({i.category for i in items.values()}):
            organisations.add_capability(
                actor=self.actor, organisation_id=row.pk, category=category, area=region, valid_from=self.since
            )
        factor = 96 + position * 7 % 9
        lines = [Line(code, MARKET[code] * factor // 10_000 * 100 or MARKET[code]) for code in seed.items]
        organisations.load_prices(
            actor=self.actor, lines=lines, valid_from=self.since, today=self.today, organisation_id=row.pk
        )
        if not seed.contract:
            return
        contract = organisations.draft_contract(
            actor=self.actor,
            region=region,
            organisation_id=row.pk,
            number=f"演示购〔{self.since.year}〕{position:02d}号",
            title="居家和社区养老服务采购合同",
            procurement="竞争性磋商（演示）",
            valid_from=self.since,
            valid_to=date(self.since.year + 2, 1, 1),
            budget_fen=2_000_000_00,
            month_budget_fen=150_000_00,
            cancel_fee_percent=20,
        )
        middle = date(self.since.year, 7, 1)
        bought = [Line(line.item_code, line.unit_price * 93 // 100, month_quota=2000) for line in lines]
        raised = [Line(line.item_code, line.unit_price * 95 // 100, month_quota=2000) for line in lines]
        for since, prices in ((self.since, bought), (middle, raised)):
            organisations.load_prices(
                actor=self.actor, lines=prices, valid_from=since, today=self.today, contract_id=contract.pk
            )
        organisations.sign_contract(actor=self.actor, contract_id=contract.pk, now=self._moment(self.since))

    def _credit_code(self, form: LegalForm, position: int) -> str:
        """A code with a right check character; registration authority and form as GB 32100 has them."""
        head = {
            LegalForm.ENTERPRISE: "91", LegalForm.SOLE_TRADER: "92", LegalForm.SOCIAL_GROUP: "51",
            LegalForm.PRIVATE_NON_ENTERPRISE: "52", LegalForm.FOUNDATION: "53", LegalForm.PUBLIC_INSTITUTION: "12",
            LegalForm.COMMUNITY_BODY: "54", LegalForm.COOPERATIVE: "93",
        }[form]  # fmt: skip
        first17 = f"{head}{self.city.code[:6]}999{position:06d}"
        return first17 + credit_check(first17)

    # ------------------------------------------------------------ workers
    def _worker(self, rng: Random, seed: Seed, organisation: Organisation, n: int, serial: int) -> Worker:
        skills = CERTIFICATES.get(organisation.short_name, ("care", "care", "cook"))
        skill = skills[n % len(skills)]
        sex = "1" if rng.random() < (0.75 if skill == "electrician" else 0.16) else "2"
        born = date(rng.randint(1968, 1996), rng.randint(1, 12), rng.randint(1, 28))
        first17 = f"{rng.choice(self.counties).code[:6]}{born:%Y%m%d}{(999 if sex == '1' else 998) - 2 * (serial % 20)}"
        self.phones += 1
        own = [p for p in self.places if p.path.startswith(organisation.path)]
        latitude, longitude = rng.choice(own).point(rng)
        hired = self._moment(self.since + timedelta(days=rng.randrange(20)))
        row = workforce.hire(
            actor=self.actor,
            organisation_id=organisation.pk,
            name=names.draw(rng, sex, born.year).text,
            today=self.today,
            id_number=first17 + check_character(first17),
            phone=demo_phone(WORKER, self.phones),
            post="volunteer" if seed.form is LegalForm.VOLUNTEER_TEAM else POSTS[skill],
            latitude=latitude,
            longitude=longitude,
            introduction=f"从事养老服务 {rng.randint(1, 15)} 年",
        )
        workforce.admit(actor=self.actor, worker_id=row.pk, now=hired)
        self._papers(rng, row, skill, serial)
        if serial % 9 != 4:  # the others are taken to be free at all times
            days = [d for d in range(1, 8) if d != 1 + serial % 7]
            hours = [(d, time(7, 0), time(19, 0)) for d in days]
            workforce.set_hours(actor=self.actor, worker_id=row.pk, hours=hours, valid_from=self.since)
        if serial % 11 == 3:
            starts = self._at(3 + serial % 5).replace(hour=0, minute=0)
            workforce.record_leave(
                actor=self.actor, worker_id=row.pk, kind="annual", starts=starts, ends=starts + timedelta(days=4)
            )
        username = "worker" if serial == 0 else f"worker{serial + 1:02d}"
        account = self.accounts.make(
            username, row.name, "worker", organisation.region, title=organisation.short_name, subject_id=row.pk
        )
        return workforce.link_account(actor=self.actor, worker_id=row.pk, account_id=account.pk)

    def _papers(self, rng: Random, row: Worker, skill: str, serial: int) -> None:
        """Certificate and the three clearances; some overdue, one missing (R-152, R-157)."""
        since = self.since - timedelta(days=rng.randint(30, 900))
        for n, kind in enumerate(dict.fromkeys((skill, "care") if skill in ("nursing", "cook") else (skill,))):
            workforce.add_certificate(
                actor=self.actor, worker_id=row.pk, skill=kind, level=rng.choice(("初级", "中级", "高级")),
                number=f"演示{serial:04d}{n}", valid_from=since, issuer="人力资源和社会保障部门（演示）",
            )  # fmt: skip
        for kind in ("entry_training", "health_check", "background_check"):
            if kind == "background_check" and serial == 17:
                continue
            to = None if kind == "entry_training" else self.today + timedelta(days=rng.choice((12, 150, 300)))
            if kind == "health_check" and serial % 13 == 6:
                to = self.today - timedelta(days=20)
            workforce.add_clearance(actor=self.actor, worker_id=row.pk, kind=kind, valid_from=since, valid_to=to)

    def _at(self, days: int) -> datetime:
        return self._moment(self.today + timedelta(days=days))

    def _moment(self, day: date) -> datetime:
        return make_aware(datetime.combine(day, time(9, 30)))
