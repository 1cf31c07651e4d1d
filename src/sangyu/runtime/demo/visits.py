"""One visit of the demo, played step by step by those who would do each step."""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from random import Random

from sangyu.care.orders import services as orders
from sangyu.care.orders.codes import home_code
from sangyu.care.orders.enums import Channel, EvidenceKind
from sangyu.care.orders.models import Order
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, Refused
from sangyu.registry.accounts.models import Grant
from sangyu.registry.accounts.selectors import actor_for
from sangyu.registry.people.models import Person

from .accounts import acting

#: Ends whose visit takes place.
VISITED = ("confirmed", "silent", "disputed", "resolved", "refunded", "done")
_COMMENTS = ("服务员很耐心，收拾得干净", "准时上门，态度好", "谢谢关心", "比上次还好", "希望下次还是这位师傅", "")
_BAD = ("来晚了半个多小时，也没打招呼", "窗户没擦干净就走了")
_DONE = {
    "cleaning": ("清扫卧室和客厅", "擦拭厨房台面", "清洗卫生间"), "personal-care": ("协助洗漱", "协助穿衣", "整理床铺"),
    "bathing-home": ("测量血压", "助浴", "更换衣物"), "meal-delivery": ("送达午餐", "提醒服药"), "medical-escort": ("陪同挂号就诊", "代取药品"),
}  # fmt: skip


@dataclass(frozen=True)
class Cast:
    """Who acts: one actor a role, managers by organisation, workers by id, families by the person they look after."""

    bureau: Actor
    finance: Actor
    operator: Actor
    dispatcher: Actor
    managers: dict[int, Actor]
    workers: dict[int, Actor]
    families: dict[int, Actor]

    @classmethod
    def of_city(cls) -> "Cast":
        from sangyu.kernel.models import Share

        grants = Grant.objects.filter(role__in=["provider_manager", "worker", "family", "elder"])
        by_role: dict[str, dict[int, Actor]] = {"provider": {}, "worker": {}, "family": {}}
        for grant in grants.select_related("account", "region").order_by("id"):
            by_role[grant.audience][grant.subject_id] = actor_for(grant.account, grant)
        shares = Share.objects.filter(audience="family", kind="person", until=None).values_list(
            "object_id", "subject_id"
        )
        families = {person: by_role["family"][account] for person, account in shares if account in by_role["family"]}
        staff = {name: acting(name) for name in ("bureau", "finance", "operator", "dispatcher")}
        return cls(**staff, managers=by_role["provider"], workers=by_role["worker"], families=families)


@dataclass(frozen=True)
class Plan:
    """What is to happen: whose need, for what and when, asked when, and where it ends."""

    person: Person
    item: str
    quantity: int
    start: datetime
    requested: datetime
    end: str
    rng: Random


class Visit:
    """Plays one plan. Raises one of IMPOSSIBLE when nobody can serve it; the caller rolls back."""

    IMPOSSIBLE = (Refused, Invalid)

    def __init__(self, cast: Cast, plan: Plan, now: datetime) -> None:
        self.cast, self.plan, self.now, self.rng = cast, plan, now, plan.rng
        self.family = cast.families.get(plan.person.pk)
        self.order: Order | None = None

    def play(self) -> None:
        """From the request to the plan's end, as far as the time has come."""
        end = self.plan.end
        self._request()
        if end in ("requested", "received"):
            return
        if end == "cancelled" and self.rng.random() < 0.6:
            self._cancel(self.plan.requested + timedelta(minutes=9), "老人改为由子女照料")
            return
        offered = self._offer(first_declines=self.rng.random() < 0.05 and end in VISITED)
        if end == "offered":
            return
        self._accept(offered)
        if end == "accepted":
            return
        if end == "cancelled":
            self._cancel(max(self.plan.start - timedelta(hours=6), offered + timedelta(minutes=20)), "家属临时回家陪同")
        elif end == "late_cancel":
            self._cancel(self.plan.start - timedelta(minutes=50), "老人临时住院检查")
        else:
            self._visit(end)

    # ------------------------------------------------------------ request to acceptance
    def _request(self) -> None:
        plan = self.plan
        need = {
            "person_id": plan.person.pk,
            "item_code": plan.item,
            "planned_start": plan.start,
            "quantity": plan.quantity,
            "wishes": self.rng.choice(("", "", "", "请提前半小时电话联系", "希望女性服务人员", "老人听力不好")),
            "now": plan.requested,
        }
        if self.family is not None and (plan.end == "requested" or self.rng.random() < 0.5):
            self.order = orders.request(actor=self.family, channel=Channel.APP, requested_by=self.family.name, **need)
            if plan.end != "requested":
                orders.receive(
                    actor=self.cast.operator, order_id=self.order.pk, now=plan.requested + timedelta(minutes=2)
                )
            return
        channel = self.rng.choice((Channel.HOTLINE, Channel.HOTLINE, Channel.STATION, Channel.WECHAT))
        ask = orders.request if plan.end == "requested" else orders.request_and_receive
        self.order = ask(actor=self.cast.operator, channel=channel, requested_by=plan.person.name, **need)

    def _offer(self, *, first_declines: bool) -> datetime:
        """Offer to one of the best; returns when. ``first_declines``: the best cannot, the next is asked."""
        able = [p for p in orders.proposals(actor=self.cast.dispatcher, order_id=self.order.pk) if not p.blocked]
        if not able:
            raise Refused("nobody can be sent")
        moment = self.plan.requested + timedelta(minutes=self.rng.randint(3, 5))
        if first_declines and len(able) > 4:
            self._send(able[0], able, moment)
            moment += timedelta(minutes=4)
            manager = self.cast.managers[able[0].option.organisation_id]
            orders.decline(actor=manager, order_id=self.order.pk, reason="当日人手已排满", now=moment)
            moment += timedelta(minutes=3)
            able = able[1:]
        self._send(self.rng.choice(able[:3]), able, moment)
        return moment

    def _send(self, best, able, moment: datetime) -> None:
        own = [p.option.worker_id for p in able if p.option.organisation_id == best.option.organisation_id]
        second = next((w for w in own if w != best.option.worker_id), None)
        pair = self.plan.item in ("bathing-home", "deep-cleaning", "stair-carrying")
        if pair and second is None:
            raise Refused("no second worker")
        self.order = orders.offer(
            actor=self.cast.dispatcher,
            order_id=self.order.pk,
            organisation_id=best.option.organisation_id,
            worker_id=best.option.worker_id,
            second_worker_id=second if pair else None,
            now=moment,
        )

    def _accept(self, offered: datetime) -> None:
        answering = self.cast.managers[self.order.organisation_id]
        if self.order.second_worker_id is None and self.rng.random() < 0.4:
            answering = self.cast.workers[self.order.worker_id]
        self.order = orders.accept(
            actor=answering, order_id=self.order.pk, now=offered + timedelta(minutes=self.rng.randint(1, 9))
        )

    def _cancel(self, moment: datetime, reason: str) -> None:
        orders.cancel(actor=self.cast.operator, order_id=self.order.pk, reason=reason, now=moment)

    # ------------------------------------------------------------ the visit
    def _visit(self, end: str) -> None:
        rng, plan, pk = self.rng, self.plan, self.order.pk
        worker = self.cast.workers[self.order.worker_id]
        on_the_way = self.now - timedelta(minutes=8) if end == "on_the_way" else plan.start - timedelta(minutes=25)
        orders.depart(actor=worker, order_id=pk, now=on_the_way)
        if end == "on_the_way":
            return
        if end == "no_show":
            orders.report_no_show(
                actor=worker, order_id=pk, reason="敲门和电话均无人应答", now=plan.start + timedelta(minutes=20)
            )
            return
        arrived = plan.start + timedelta(minutes=rng.randint(-6, 9))
        orders.arrive(actor=worker, order_id=pk, now=arrived, **self._proof())
        if end == "arrived":
            return
        planned = int((self.order.planned_end - self.order.planned_start).total_seconds()) // 60
        left = min(arrived + timedelta(minutes=max(planned + rng.randint(-8, 10), 10)), self.now)
        # the provider's desk hands in pictures for its workers
        desk = self.cast.managers[self.order.organisation_id]
        for kind, title, share in (
            (EvidenceKind.PHOTO, "服务后照片", 0.12),
            (EvidenceKind.SIGNATURE, "老人签字", 0.18),
        ):
            if rng.random() < share:
                form = "jpeg" if kind == EvidenceKind.PHOTO else "png"
                orders.add_evidence(
                    actor=desk, order_id=pk, kind=kind, content_type=f"image/{form}", data=picture(form), title=title,
                    now=left - timedelta(minutes=2),
                )  # fmt: skip
        orders.finish(
            actor=worker,
            order_id=pk,
            items=list(_DONE.get(plan.item, ("按约定完成服务",))),
            note=rng.choice(("", "", "老人状态良好", "血压偏高，已提醒家属")),
            now=left,
        )
        if end not in ("done", "silent"):
            self._after(end, left)

    def _proof(self) -> dict:
        """The home's code, or the place, or (seldom) only a reason."""
        rng, order = self.rng, self.order
        chance = rng.random()
        if chance < 0.04:
            return {"reason": "手机没有信号，二维码损坏"}
        if chance < 0.4 or order.latitude is None:
            return {"code": home_code(order.person_id)}
        return {
            "latitude": order.latitude + rng.uniform(-0.0006, 0.0006),
            "longitude": order.longitude + rng.uniform(-0.0006, 0.0006),
            "accuracy": float(rng.randint(5, 40)),
        }

    def _after(self, end: str, left: datetime) -> None:
        rng, pk = self.rng, self.order.pk
        moment = left + timedelta(minutes=rng.choice((6, 15, 40, 200, 700, 1500)))
        if moment >= self.now:
            return
        who = {"actor": self.family} if self.family else {"actor": self.cast.operator}
        if end in ("disputed", "resolved"):
            orders.dispute(**who, order_id=pk, reason=rng.choice(_BAD), now=moment)
            if end == "resolved":
                orders.resolve(
                    actor=self.cast.bureau, order_id=pk, upheld=False, reason="经核实服务时长达标，已补做窗户清洁",
                    now=min(moment + timedelta(hours=30), self.now),
                )  # fmt: skip
            return
        rating = rng.choices((5, 4, 3, 2, 1, None), (56, 26, 7, 3, 1, 7))[0]
        comment = rng.choice(_COMMENTS if rating is None or rating > 2 else _BAD)
        said = {} if self.family else {"on_behalf_of": f"{self.plan.person.name}（电话）"}
        orders.confirm(**who, order_id=pk, rating=rating, comment=comment if rating else "", now=moment, **said)
        if end == "refunded":
            self._refund(min(moment + timedelta(hours=26), self.now))

    def _refund(self, moment: datetime) -> None:
        order = Order.objects.get(pk=self.order.pk)
        part = {name: getattr(order, name) // 2 for name in ("voucher_amount", "public_pay", "self_pay")}
        if any(part.values()):
            orders.refund(
                actor=self.cast.bureau, order_id=order.pk, reason="服务时长不足，退还一半费用", now=moment,
                key=f"{order.number}:refund", **part,
            )  # fmt: skip


@cache
def picture(kind: str) -> bytes:
    """A small drawn picture: a room for a photo, a stroke for a signature."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (320, 240), "#f4efe4" if kind == "jpeg" else "white")
    draw = ImageDraw.Draw(image)
    if kind == "jpeg":
        draw.rectangle((0, 150, 320, 240), fill="#b98d5f")
        draw.rectangle((40, 40, 130, 120), fill="#bfe0ee", outline="#6b5b45", width=4)
        draw.rectangle((170, 110, 300, 180), fill="#7d9a74")
    else:
        draw.line([(30, 150), (80, 70), (110, 170), (160, 90), (210, 160), (290, 100)], fill="#1f2937", width=5)
    out = io.BytesIO()
    image.save(out, kind.upper())
    return out.getvalue()
