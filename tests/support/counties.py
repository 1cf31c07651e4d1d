"""Two counties with the same rows, one of each kind and state, and an account with a token per role in each."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from unittest.mock import patch

from django.utils.timezone import make_aware

from sangyu.care.orders import services as orders
from sangyu.care.orders.enums import Channel
from sangyu.care.vouchers import services as vouchers
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.models import Share
from sangyu.registry.accounts import roles, tokens
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.accounts.selectors import actor_for
from sangyu.registry.people.enums import Part
from sangyu.registry.people.sharing import share_file

from .alarming import alarm_county
from .assessing import assessed_county
from .entitlement import entitle
from .equipping import equip
from .paying import paid_county
from .screening import screened_county
from .world import make_fee_rules, make_item, make_organisation, make_person, make_worker

#: What the clock says while the two counties are asked; the rows came about in the weeks before.
NOW = make_aware(datetime(2026, 11, 3, 10, 0))
BEFORE = make_aware(datetime(2026, 10, 12, 9, 0))
#: Role → level of the region that its grant names; the county's own where nothing else is said.
OF_COMMUNITY = ("community", "family", "elder", "worker")


@dataclass
class County:
    """Ids by name, actors and API tokens by role."""

    key: str
    ids: dict[str, int] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


@contextmanager
def clock(now: datetime = NOW) -> Iterator[None]:
    """Everything that asks for the time is told ``now``."""
    with patch("django.utils.timezone.now", lambda: now):
        yield


def share_person(account_id: int, person) -> None:
    """What a consent to all parts does: the family's account sees the elder."""
    share_file(account_id, person, Part.values, "consent")
    Share.objects.filter(subject_id=account_id).update(since=NOW - timedelta(days=30))  # pages are asked at that time


def two_counties(regions, every_permission: frozenset[str], *, only=("a", "b")) -> dict[str, County]:
    """Counties "a" and "b" under one city that publishes catalogue and fee rules."""
    make_fee_rules(regions["city"])
    item = make_item(regions["city"], "cleaning", "助洁", minutes=120, category="cleaning")
    make_item(regions["city"], "bathing", "助浴", skill="care", crew=2, risk=True)
    return {key: _county(regions, key, item, every_permission) for key in only}


def _county(regions, key: str, item, held: frozenset[str]) -> County:
    county, region = County(key), regions[key]
    prices = {"bathing": 12000, "cleaning": 6000}
    organisation, contract = make_organisation(region, f"康乐{key}", prices)
    other, _contract = make_organisation(region, f"乐康{key}", {"cleaning": 6500})
    person = make_person(regions[key + "_one"], "王桂兰" if key == "a" else "赵玉珍", living="alone", care_level="2")
    worker = make_worker(organisation, region, f"何永强{key}", skills=(), sex="1")
    substitute = make_worker(organisation, region, f"孙丽华{key}")
    elsewhere = make_worker(other, region, f"周敏{key}")
    county.ids |= {
        "region": region.pk, "person": person.pk, "organisation": organisation.pk, "other_organisation": other.pk,
        "contract": contract.pk, "community": regions[key + "_one"].pk, "worker": worker.pk, "substitute": substitute.pk, "item": item.pk,
    }  # fmt: skip
    subjects = {"provider_manager": organisation.pk, "worker": worker.pk}
    for role in roles.all_roles():
        _account(county, role, regions, subjects.get(role))
    for role in ("family", "elder"):
        share_person(county.accounts[role].pk, person)
    desk = Actor(Audience.STAFF, region.path, f"坐席{key}", role="bureau", permissions=held)
    _vouchers(county, desk, region, person)
    made = _Made(county, desk, held, organisation, worker, person)
    made.orders()
    made.settle(region, other, elsewhere)
    made.agreements()
    _twice(county, desk, regions, person)
    _parts(county, desk, region, organisation, substitute, person)
    _lists(county, regions[key + "_one"])
    _privacy(county, region, person)
    assessed_county(county, regions, person)
    screened_county(county, regions, person)
    entitle(county, region, person, NOW)
    equip(county, region, person, NOW - timedelta(days=7))
    paid_county(county, region, person, NOW)
    alarm_county(county, region, person, NOW)
    return county


def _privacy(county: County, region, person) -> None:
    """Requests about the elder's data by the relative and on paper, an incident, a hand-over of work."""
    from sangyu.registry.accounts.models import Handover
    from sangyu.registry.privacy import services as privacy

    bureau, relative = county.actors["bureau"], county.actors["family"]
    asked = privacy.enter_paper(actor=bureau, person_id=person.pk, kind="copy", asked_name="王桂兰", now=NOW)
    own = privacy.ask(actor=relative, person_id=person.pk, kind="access", now=NOW)
    wrong = privacy.enter_paper(
        actor=bureau,
        person_id=person.pk,
        kind="correction",
        asked_name="王桂兰",
        field="address",
        wanted="胜利街 3 号",
        now=NOW,
    )
    privacy.take(actor=bureau, request_id=wrong.pk, now=NOW)
    incident = privacy.record_incident(
        actor=bureau, region_id=region.pk, title="名单误发", happened_on=NOW.date(), found_on=NOW.date(),
        data_kinds="姓名", affected=1, cause="发错群",
    )  # fmt: skip
    handed = Handover.objects.create(
        path=region.path,
        account=county.accounts["bureau"],
        successor=county.accounts["finance"],
        reason="x",
        by_name="x",
    )
    county.ids |= {
        "data_request": asked.pk, "own_data_request": own.pk, "correction_request": wrong.pk, "incident": incident.pk, "handover": handed.pk,
    }  # fmt: skip


def _lists(county: County, community) -> None:
    """A roster and a status list handed over by the bureau: one row held for a decision, lines to settle."""
    from sangyu.kernel.importing import exchange
    from sangyu.kernel.importing.models import HeldRow
    from sangyu.registry.people.models import Person
    from sangyu.registry.statuslists.models import StatusLine, StatusList

    person, bureau = Person.objects.get(pk=county.ids["person"]), county.actors["bureau"]
    row = {"name": person.name, "sex": "女", "birth_date": str(person.birth_date), "region": community.code}
    settings = {"list_kind": "minimum_living", "month": "2026-10", "authority": "民政局"}
    with clock():
        exchange.hand_over(actor=bureau, kind="people.roster", key=f"r-{county.key}", rows=[row])
        exchange.hand_over(
            actor=bureau,
            kind="statuslists.list",
            key=f"s-{county.key}",
            rows=[row, {**row, "name": "无此人"}],
            settings=settings,
        )
    lines = StatusLine.objects.filter(path__startswith=bureau.path).order_by("row")
    county.ids |= {
        "roster_key": f"r-{county.key}",
        "statuslist_key": f"s-{county.key}",
        "held": HeldRow.objects.get(candidates=[person.pk]).pk,
        "status_list": StatusList.objects.get(path=bureau.path).pk,
        "status_line": lines[0].pk,
        "missing_line": lines[1].pk,
    }


def _account(county: County, role: str, regions, subject: int | None) -> None:
    region = regions[county.key + "_one"] if role in OF_COMMUNITY else regions[county.key]
    region = regions[county.key + "_street"] if role == "street" else region
    account = Account.objects.create_user(
        f"{role}-{county.key}", "Mulberry-2026", name=f"{role} {county.key}", region=region, path=region.path
    )
    audience = roles.role(role).audience
    if audience == Audience.FAMILY:
        subject = account.pk
    grant = Grant.objects.create(
        account=account, role=role, audience=audience, region=region, path=region.path, subject_id=subject,
        valid_from=date(2020, 1, 1),
    )  # fmt: skip
    county.accounts[role] = account
    county.actors[role] = actor_for(account, grant)
    permissions = sorted(roles.role(role).permissions)
    if permissions:
        with clock():
            _token, county.tokens[role] = tokens.issue(
                grant=grant, name="test", permissions=permissions, expires_on=date(2027, 1, 1), created_by="test"
            )


def _vouchers(county: County, desk: Actor, region, person) -> None:
    from sangyu.care.vouchers.models import Voucher

    programme = vouchers.publish_programme(
        actor=desk, region_id=region.pk, path=region.path, name="服务券", face_amount=10000,
        valid_from=date(2026, 1, 1), categories=["cleaning"], validity="year",
    )  # fmt: skip
    vouchers.issue(
        actor=desk, programme_id=programme.pk, person_ids=[person.pk], day=date(2026, 10, 1), region_id=region.pk,
        path=region.path,
    )  # fmt: skip
    voucher = Voucher.objects.get(person_id=person.pk)
    county.ids |= {"programme": programme.pk, "voucher": voucher.pk, "voucher_issue": voucher.issue_id}


def _parts(county: County, desk: Actor, region, organisation, carer, person) -> None:
    """One child row of each kind that has an address of its own."""
    from sangyu.care.orders.models import FeeRule, ServiceRule
    from sangyu.kernel.files import save
    from sangyu.kernel.models import Operation
    from sangyu.registry.accounts.models import ApiToken
    from sangyu.registry.catalogue.models import Package
    from sangyu.registry.dossier.models import Paper
    from sangyu.registry.lifeevents.models import LifeEvent, LifeEventItem, Notice
    from sangyu.registry.organisations.models import Capability, Licence, Price
    from sangyu.registry.people.models import Consent, Contact, GuardedNote, HealthNote, PersonFact
    from sangyu.registry.workforce.models import Certificate, Clearance, Duty

    here = {"region": region, "path": region.path}
    of = {"organisation": organisation, "path": region.path}
    since = {"valid_from": date(2026, 1, 1)}
    later = {"valid_from": date(2030, 1, 1)}
    contact = Contact.objects.create(person=person, path=person.path, name="李建华", relation="2")
    event = LifeEvent.objects.create(
        person=person, path=person.path, kind="hospital", on=date(2026, 10, 1), reported_by="family", source="家属",
        actor=desk.name,
    )  # fmt: skip
    scan = save(desk, title="身份证", content_type="application/pdf", data=b"%PDF-1.4", owner=person)
    rows = {
        "life_event": event,
        "life_item": LifeEventItem.objects.create(event=event, item="parties"),
        "notice": Notice.objects.create(
            event=event, path=event.path, audience="provider", subject_id=organisation.pk, text="住院"
        ),
        "paper": Paper.objects.create(
            person=person, path=person.path, kind="identity", title="身份证", file=scan, actor=desk.name
        ),
        "guarded_note": GuardedNote.objects.create(
            person=person, path=person.path, topic="property", body="房产", author=desk.name
        ),
        "health_note": HealthNote.objects.create(
            person=person, path=person.path, kind="allergy", words="青霉素", recorded_by=desk.name
        ),
        "fact": PersonFact.objects.get(subject=person, kind="living"),
        "contact": contact,
        "consent": Consent.objects.create(
            person=person, path=person.path, purpose="service", version="1", given_by="self", given_on=date(2026, 1, 1)
        ),
        "licence": Licence.objects.create(kind="food", number=f"L{county.key}", **of, **since),
        "capability": Capability.objects.filter(organisation=organisation).first(),
        "price": Price.objects.filter(organisation=organisation).first(),
        "certificate": Certificate.objects.filter(worker=carer).first(),
        "clearance": Clearance.objects.filter(worker=carer).first(),
        "duty": Duty.objects.create(post="manager", title="职责", text="守时", **here, **since),
        # an earlier version for the carer: one in force would keep it from being sent
        "duty_of_carer": Duty.objects.create(
            post=carer.post, title="职责", text="守时", valid_from=date(2019, 1, 1), valid_to=date(2020, 1, 1), **here
        ),
        "own_item": make_item(region, f"local_{county.key}", "本地项目"),
        "package": Package.objects.create(code=f"pack_{county.key}", name="套餐", **here, **since),
        "fee_rule": FeeRule.objects.create(rank=1, tier="paid", title="明年", basis="试行", **here, **later),
        "service_rule": ServiceRule.objects.create(**here, **later),
        "operation": Operation.objects.create(
            path=region.path, kind="test", title="导出", audience="staff", actor=desk.name,
            account_id=county.accounts["bureau"].pk,
        ),
        "file": save(desk, title="照片", content_type="text/csv", data=b"a,b", owner=person),
        "account": county.accounts["dispatcher"],
        "grant": county.accounts["dispatcher"].grants.first(),
        "own_token": ApiToken.objects.filter(account=county.accounts["bureau"]).first(),
        "token": ApiToken.objects.filter(account=county.accounts["dispatcher"]).first(),
    }  # fmt: skip
    county.ids |= {name: row.pk for name, row in rows.items()}


def _twice(county: County, desk: Actor, regions, person) -> None:
    """A pair of files to compare, a merge, and a request for the person's file."""
    from sangyu.kernel.identity import check_character
    from sangyu.registry.duplicates.models import Candidate
    from sangyu.registry.people import services as people
    from sangyu.registry.people.models import Person
    from sangyu.registry.transfers.models import Transfer

    other = make_person(regions[county.key + "_two"], "何淑珍")
    gone = make_person(regions[county.key + "_one"], "何淑贞")
    merge = people.merge(actor=desk, kept_id=other.pk, gone_id=gone.pk, reason="同一人")
    stranger = make_person(regions[("b" if county.key == "a" else "a") + "_two"], "外区人")
    number = "21080219410305" + ("0028" if county.key == "a" else "0044")
    people.update_basic(
        actor=replace(desk, path=regions["city"].path), person_id=stranger.pk, reason="补录",
        changes={"id_number": number[:17] + check_character(number[:17]), "birth_date": date(1941, 3, 5)},
    )  # fmt: skip
    pair = Candidate.objects.create(
        path=regions[county.key + "_street"].path, first=person, second=other, score=20, levels=["birth.same"], rules=1
    )
    transfer = Transfer.objects.create(
        number=f"QZ{county.key}", path=regions[county.key + "_two"].path, region=regions[county.key + "_two"],
        held_path=person.path, held_region=person.region, person=person, name=person.name, moved_on=date(2026, 10, 1),
        reason="随子女居住", evidence="居住证", requested_by="街道", answer_by=NOW, requested_at=BEFORE,
    )  # fmt: skip
    county.ids |= {"other_person": other.pk, "merge": merge.pk, "candidate": pair.pk, "transfer": transfer.pk,
                   "stranger_number": Person.objects.get(pk=stranger.pk).id_number}  # fmt: skip


@dataclass
class _Made:
    """Drives orders to the states that are needed, each on a day of its own."""

    county: County
    desk: Actor
    held: frozenset[str]
    organisation: object
    worker: object
    person: object
    days: int = 0

    def order(self, until: str, *, future: bool = False, organisation=None, worker=None):
        """An order of the person driven along the road until it has the state ``until``."""
        organisation, worker = organisation or self.organisation, worker or self.worker
        self.days += 1
        now = NOW - timedelta(minutes=5) if future else BEFORE
        start = now + timedelta(days=self.days, hours=5)
        order = orders.request(
            actor=self.desk, person_id=self.person.pk, item_code="cleaning", planned_start=start,
            channel=Channel.HOTLINE, requested_by="女儿", now=now,
        )  # fmt: skip
        manager = Actor(
            Audience.PROVIDER, self.desk.path, "经理", subject_id=organisation.pk, role="provider_manager",
            permissions=self.held,
        )  # fmt: skip
        carer = replace(manager, audience=Audience.WORKER, name=worker.name, subject_id=worker.pk, role="worker")
        one = {"order_id": order.pk}
        late = start + timedelta(minutes=120)
        steps = [
            ("received", lambda: orders.receive(actor=self.desk, now=now, **one)),
            (
                "offered",
                lambda: orders.offer(
                    actor=self.desk, organisation_id=organisation.pk, worker_id=worker.pk, now=now, **one
                ),
            ),
            ("accepted", lambda: orders.accept(actor=manager, now=now + timedelta(minutes=1), **one)),
            ("on_the_way", lambda: orders.depart(actor=carer, now=start - timedelta(minutes=10), **one)),
            ("arrived", lambda: orders.arrive(actor=carer, reason="无信号", now=start, **one)),
            ("done", lambda: orders.finish(actor=carer, items=["擦窗"], now=late, **one)),
            (
                "confirmed",
                lambda: orders.confirm(
                    actor=self.desk, rating=1, on_behalf_of="女儿", now=late + timedelta(hours=1), **one
                ),
            ),
        ]
        for state, step in steps:
            if until == "requested":
                break
            step()
            if state == until:
                break
        return order

    def orders(self) -> None:
        from sangyu.care.orders.models import ReturnVisit

        ids = self.county.ids
        for state in ("requested", "received", "offered", "accepted"):
            ids[f"order_{state}"] = self.order(state, future=True).pk
        for state in ("accepted", "on_the_way", "arrived", "done", "confirmed"):
            ids["order_past" if state == "accepted" else f"order_{state}"] = self.order(state).pk
        ids["order_disputed"] = self.order("done").pk
        orders.dispute(actor=self.desk, order_id=ids["order_disputed"], reason="没做完", now=NOW)
        ids["return_visit"] = ReturnVisit.objects.get(order_id=ids["order_confirmed"], reason="low_rating").pk

    def settle(self, region, other, elsewhere) -> None:
        from sangyu.care.settlement import services as settlement
        from sangyu.care.settlement.models import Statement

        self.order("confirmed", organisation=other, worker=elsewhere)
        made = settlement.draft(
            actor=self.desk,
            region_id=region.pk,
            organisation_id=self.organisation.pk,
            period=date(2026, 10, 1),
            now=NOW,
        )
        self.county.ids["statement_draft"] = made.pk
        stamps = {"frozen_at": BEFORE, "frozen_by": "财务一"}
        for month, state, more in (
            (9, "frozen", {}),
            (8, "objected", {"objection": "少算一次"}),
            (7, "confirmed", {"confirmed_at": BEFORE}),
            (6, "approved", {"confirmed_at": BEFORE, "approved_at": BEFORE, "approved_by": "财务二"}),
        ):
            row = Statement.objects.create(
                number=f"JS{self.county.key}{month}", organisation=self.organisation, region=region, path=region.path,
                period=date(2026, month, 1), cut_off=make_aware(datetime(2026, month + 1, 1)), state=state,
                **stamps, **more,
            )  # fmt: skip
            self.county.ids[f"statement_{state}"] = row.pk

    def agreements(self) -> None:
        for name in ("draft", "signed"):
            made = orders.draft_agreement(
                actor=self.desk, person_id=self.person.pk, organisation_id=self.organisation.pk, items=["cleaning"],
                valid_from=date(2026, 10, 1), valid_to=date(2027, 6, 30), risk_notice="防跌倒",
            )  # fmt: skip
            self.county.ids[f"agreement_{name}"] = made.pk
        orders.sign_agreement(actor=self.desk, agreement_id=made.pk, signed_by="女儿", signed_on=date(2026, 10, 1))
