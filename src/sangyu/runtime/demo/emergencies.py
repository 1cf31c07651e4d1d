"""Emergencies of three months: closed, reviewed, false, with help that came, and some that are open now in every state; roster, drills, calls.

Each case goes the way of the services, at the moments at which it happened: its clocks, answers and trail are real.
"""

from datetime import datetime, time, timedelta
from random import Random

from django.db import connection
from django.utils import timezone

from sangyu.care.emergencies import services
from sangyu.care.emergencies.models import Incident, Notice, Party, PeriodicTest
from sangyu.care.emergencies.services import ByHand
from sangyu.kernel.actor import Actor
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.devices.models import Device
from sangyu.registry.facilities.models import Facility
from sangyu.registry.regions.models import Region

from .accounts import acting
from .copying import ACTOR

#: Kind, level, how often, outcome and cause by weight.
KINDS = (
    ("sos", 1, 5),
    ("fall", 1, 3),
    ("vital_limit", 2, 3),
    ("geofence_exit", 2, 1),
    ("no_response", 1, 1),
    ("left_bed", 2, 1),
)
ENDS = (
    ("false_alarm", "by_mistake", 5, "老人误触，电话确认平安"), ("helped", "fall", 3, "已扶起，无外伤"), ("helped", "help", 2, "协助就餐"),
    ("hospital", "illness", 2, "120 送市中心医院"), ("family", "illness", 2, "家属到场接手"), ("false_alarm", "device", 1, "设备误报，已报修"),
    ("helped", "lost", 1, "在市场附近找到，送回家中"),
)  # fmt: skip
#: How far the open ones have come, and how many minutes ago they began.
NOW_OPEN = (("open", 1), ("claimed", 2), ("verifying", 3), ("dispatched", 5), ("on_the_way", 8), ("arrived", 20))
DAYS = 90


class Emergencies:
    """Rows of one build; the same city, day and number of elders give the same cases."""

    def __init__(self, region: Region, now: datetime, seed: str) -> None:
        self.region, self.now, self.rng = region, now, Random(f"{seed} emergencies")
        self.job = Actor.job(ACTOR)

    def build(self) -> int:
        self.desk, self.boss = acting("operator"), acting("bureau")
        worn = list(
            Device.objects.filter(person__isnull=False, person__died_on=None, path__startswith=self.desk.path)
            .exclude(person__restricted_at__isnull=False)
            .select_related("person")
            .order_by("id")[:400]
        )
        if not worn:
            return 0
        worn = list({d.person_id: d for d in worn}.values())
        self.rng.shuffle(worn)
        many = max(18, min(90, len(worn) // 3))
        for n in range(many):
            self._past(
                worn[n % len(worn)],
                self.now - timedelta(days=DAYS * (many - n) / many, minutes=self.rng.randrange(900)),
            )
        for n, (state, minutes) in enumerate(NOW_OPEN):
            self._open(worn[-1 - n % len(worn)], state, self.now - timedelta(minutes=minutes))
        self._roster()
        self._drills()
        self._tests(worn)
        self._calls()
        self._settle()
        return Incident.objects.count()

    def _alarm(self, device: Device, kind: str, level: int, at: datetime) -> int:
        p, lag = device.person, self.rng.choice((1, 1, 2, 2, 3, 45))
        alarm = ByHand(
            path=p.path, kind=kind, level=level, at=at - timedelta(seconds=lag), received_at=at, person_id=p.pk, device_id=device.pk,
            latitude=p.latitude, longitude=p.longitude, placed_at=at, accuracy=float(self.rng.choice((8, 15, 30))), source="device",
        )  # fmt: skip
        return services.alarms([alarm], actor=self.job, now=at)[0]

    def _kind(self) -> tuple[str, int]:
        kind, level, _weight = self.rng.choices(KINDS, [k[2] for k in KINDS])[0]
        return kind, level

    def _past(self, device: Device, at: datetime) -> None:
        kind, level = self._kind()
        pk = self._alarm(device, kind, level, at)
        wait = self.rng.choices((12, 25, 40, 75, 150, 240), (30, 30, 20, 12, 5, 3))[0]
        self._until(pk, at, at + timedelta(seconds=wait))
        moment = at + timedelta(seconds=wait)
        services.claim(actor=self.desk, incident_id=pk, now=moment)
        outcome, cause, _weight, words = self.rng.choices(ENDS, [e[2] for e in ENDS])[0]
        false = outcome == "false_alarm"
        services.verify(
            actor=self.desk,
            incident_id=pk,
            result="all_right" if false else "needs_help",
            now=moment + timedelta(seconds=30),
        )
        if not false:
            self._help(pk, moment + timedelta(seconds=60), outcome)
        end = at + timedelta(minutes=self.rng.randrange(6, 12) if false else self.rng.randrange(30, 90))
        services.close(actor=self.desk, incident_id=pk, outcome=outcome, cause=cause, words=words, now=end)
        if at < self.now - timedelta(days=20) and self.rng.random() < 0.8:
            services.review(actor=self.boss, incident_id=pk, words="处置及时", now=end + timedelta(days=1))

    def _until(self, pk: int, began: datetime, moment: datetime) -> None:
        """The clocks that ran before somebody took it."""
        for seconds in (1, 31, 61, 107, 125, 180):
            if began + timedelta(seconds=seconds) < moment:
                services.tick(actor=self.job, now=began + timedelta(seconds=seconds))

    def _help(self, pk: int, moment: datetime, outcome: str, upto: str = "arrived") -> None:
        if outcome == "hospital":
            services.escalate_120(actor=self.desk, incident_id=pk, words="急救中心已派车", now=moment)
        party = self._asked(pk, moment)
        if party is None:
            return
        steps = (services.answer_offer, services.on_the_way, services.arrived)
        for n, (act, name) in enumerate(zip(steps, ("dispatched", "on_the_way", "arrived"), strict=True)):
            more = {"accepted": True} if act is services.answer_offer else {}
            act(
                actor=self.desk,
                incident_id=pk,
                party_id=party.pk,
                now=moment + timedelta(minutes=(0, 1, 9)[n], seconds=20),
                **more,
            )
            if name == upto:
                return

    def _asked(self, pk: int, moment: datetime) -> Party | None:
        from sangyu.care.emergencies import selectors

        able = [c for c in selectors.candidates(self.desk, pk, now=moment) if c.able]
        known = set(Party.objects.filter(incident_id=pk).values_list("kind", "subject_id"))
        chosen = next((c for c in able if (c.kind, c.subject_id) not in known), None)
        if chosen is None:
            return Party.objects.filter(incident_id=pk).exclude(answer="passed").first()
        return services.offer(
            actor=self.desk, incident_id=pk, kind=chosen.kind, subject_id=chosen.subject_id, now=moment
        )

    def _open(self, device: Device, state: str, at: datetime) -> None:
        kind, level = ("sos", 1) if state in ("open", "on_the_way") else self._kind()
        pk = self._alarm(device, kind, level, at)
        if state == "open":
            return
        services.claim(actor=self.desk, incident_id=pk, now=at + timedelta(seconds=15))
        if state == "claimed":
            return
        result = "" if state == "verifying" else "needs_help"
        services.verify(actor=self.desk, incident_id=pk, result=result, now=at + timedelta(seconds=40))
        if state != "verifying":
            self._help(pk, at + timedelta(seconds=60), "helped", upto=state)

    def _roster(self) -> None:
        today = timezone.localdate(self.now)
        region = Region.objects.get(path=self.desk.path)
        held = Grant.objects.filter(role="operator").values("account_id")
        ids = list(Account.objects.filter(pk__in=held, is_active=True).order_by("id").values_list("pk", flat=True)[:6])
        services.plan_nights(
            actor=self.boss,
            region_id=region.pk,
            first=today - timedelta(days=30),
            last=today + timedelta(days=40),
            account_ids=ids,
            now=self.now,
        )
        for house in Facility.objects.filter(kind="institution", path__startswith=self.boss.path).order_by("id")[:2]:
            services.plan_nights(
                actor=self.boss,
                facility_id=house.pk,
                first=today,
                last=today + timedelta(days=40),
                account_ids=ids[:2],
                now=self.now,
            )
        for station in Facility.objects.filter(kind="station", path__startswith=self.boss.path).order_by("id")[:3]:
            services.save_station(
                actor=self.boss, facility_id=station.pk, telephone=station.telephone, now=self.now,
                hours=[(day, time(7, 30), time(19, 0)) for day in range(1, 8)],
            )  # fmt: skip

    def _drills(self) -> None:
        region = Region.objects.get(path=max(self.boss.path, self.desk.path, key=len))
        for title, days in (("夜间响应演练", 40), ("节前联动演练", 12), ("全市联合演练", -9)):
            at = self.now - timedelta(days=days)
            drill = services.plan_drill(
                actor=self.boss, title=title, region_id=region.pk, planned_at=at, place="市养老服务指导中心", aim="检验 60 秒应答", now=at
            )  # fmt: skip
            if days < 0:
                continue
            drill = services.start_drill(actor=self.boss, drill_id=drill.pk, now=at)
            case = {"actor": self.desk, "incident_id": drill.incident_id}
            services.claim(**case, now=at + timedelta(seconds=22))
            services.close(**case, outcome="drill", cause="test", now=at + timedelta(minutes=14))
            findings = "一处驿站联系电话已更换，已更新。"
            services.drill_done(actor=self.boss, drill_id=drill.pk, findings=findings, now=at + timedelta(hours=1))

    def _tests(self, worn: list[Device]) -> None:
        rows = []
        for n, device in enumerate(worn[:60]):
            at = self.now - timedelta(days=n % 45, hours=2)
            rows.append(
                PeriodicTest(
                    device=device,
                    path=device.path,
                    at=at,
                    received_at=at + timedelta(seconds=1),
                    stored_at=at + timedelta(seconds=1),
                )
            )
        PeriodicTest.objects.bulk_create(rows)

    def _calls(self) -> None:
        for n, minutes in enumerate((2900, 1500, 35, 4)):
            at = self.now - timedelta(minutes=minutes)
            call = services.write_down_call(actor=self.desk, number=f"0417-28000{n:02d}", missed=True, now=at)
            if n < 2:
                services.called_back(
                    actor=self.desk, call_id=call.pk, result="咨询上门助浴，已登记", now=at + timedelta(minutes=6)
                )

    def _settle(self) -> None:
        """What the demo wrote about the past is sent to nobody: no job of it waits."""
        for notice in Notice.objects.filter(state="waiting"):
            Notice.objects.filter(pk=notice.pk).update(
                state="sent", next_at=None, sent_at=notice.created_at + timedelta(seconds=2), tries=1
            )
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'emergencies.deliver' AND status = 'todo'")
