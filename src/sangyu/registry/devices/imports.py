"""Devices and who has them as workbooks (R-089): 3,920 rows in one go, each wrong one named with the remedy."""

from collections.abc import Callable, Sequence
from datetime import datetime, time
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from sangyu.kernel import bulk, identity
from sangyu.kernel.crypto import blind_index
from sangyu.kernel.errors import Invalid
from sangyu.kernel.events import emit
from sangyu.kernel.identity import phone_digits
from sangyu.kernel.importing import parsers
from sangyu.kernel.importing.definition import Field, Import, Row, register
from sangyu.kernel.scoping import as_system
from sangyu.registry.people import services as people_services
from sangyu.registry.people.enums import Purpose
from sangyu.registry.people.fields import who_columns, who_of
from sangyu.registry.privacy import selectors as privacy
from sangyu.registry.regions import selectors as regions
from sangyu.registry.regions.fields import Places

from . import events, store
from .enums import Action, Kind, Payer, State
from .models import ICCID_PURPOSE, SIM_PURPOSE, Binding, Device, DeviceLog
from .products import product as product_of
from .products import products
from .stock import read_sim_phone
from .workflow import DEVICE_FLOW

PAYERS = {"政府": Payer.GOVERNMENT, "财政": Payer.GOVERNMENT, "老人": Payer.ELDER, "家属": Payer.ELDER, "个人": Payer.ELDER,
          "机构": Payer.OWNER, "运营商": Payer.OWNER, "产权单位": Payer.OWNER}  # fmt: skip
YES = {"是": "yes", "同意": "yes", "已签": "yes", "√": "yes"}
NO = ("否", "不同意", "未签", "×")
NUMBER = ("设备号", "设备编号", "imei", "IMEI号", "设备识别码", "手表编号")


def _trail(device_id: int, action: str, source: str, target: str, who: Any, at: datetime, said: str) -> DeviceLog:
    return DeviceLog(
        device_id=device_id, action=action, source=source, target=target, at=at, account_id=who.account_id, actor=who.name,
        reason=said,
    )  # fmt: skip


@register
class StockImport(Import):
    """One device a row, into the stock. A number or SIM card that is registered already is reported, not changed."""

    kind = "devices.stock"
    title = gettext_lazy("List of devices")
    permission = "devices.stock"

    def describe(self) -> Sequence[Field]:
        text = parsers.text
        words = {p.name: p.code for p in products().values()} | {p.code: p.code for p in products().values()}
        return (
            Field("product", _("Product"), parsers.choice(words), ("设备型号", "型号", "产品"), required=True,
                  choices=tuple(p.name for p in products().values())),
            Field("identity", _("Device number"), text(64), NUMBER, required=True, example="8800000015",
                  hint=_("Format the column as text.")),
            Field("serial", _("Label"), text(40), ("标签", "资产编号", "序列号", "SN")),
            Field("iccid", _("SIM card number"), text(24), ("ICCID", "SIM卡号"), mask=identity.mask_phone),
            Field("sim_phone", _("SIM telephone number"), text(24), ("SIM电话", "卡手机号", "物联网卡号"), mask=identity.mask_phone),
            Field("region", _("Stock of"), text(200), ("所属区域", "区划", "存放地", "社区")),
            Field("service_fee", _("Service fee a month (yuan)"), parsers.yuan, ("月服务费", "服务费"), example="10"),
            Field("sim_fee", _("SIM fee a month (yuan)"), parsers.yuan, ("月流量费", "SIM费", "流量费"), example="5"),
            Field("payer", _("Who pays"), parsers.choice(PAYERS), ("付费方", "费用承担"), choices=("政府", "老人", "机构")),
            Field("warranty_until", _("Warranty until"), parsers.day, ("保修期至", "质保到期")),
            Field("received_on", _("Received on"), parsers.day, ("入库日期", "到货日期")),
        )  # fmt: skip

    def row_name(self, row: Row) -> str:
        return str(row.values.get("identity") or "")

    def check(self, rows: list[Row]) -> None:
        own, places = regions.at_path(self.actor.path), Places(self.actor, self.today)
        for row in rows:
            self._read(row, places, own)
        good = [r for r in rows if not r.problems]
        with as_system("a number that is registered in another area is taken too"):
            known = set(
                Device.objects.filter(identity__in=[r.values["identity"] for r in good]).values_list(
                    "protocol", "identity"
                )
            )
            cards = [r.values["card"] for r in good if r.values["card"]]
            sims = {
                bytes(i) for i in Device.objects.filter(iccid_index__in=cards).values_list("iccid_index", flat=True)
            }
        seen: dict[tuple[str, Any], int] = {}
        for row in good:
            key = (row.values["product"].protocol, row.values["identity"])
            self._once(row, "identity", key, key in known, seen, _("A device with this number is registered already."))
            if card := row.values["card"]:
                self._once(row, "iccid", card, card in sims, seen, _("This SIM card is in another device."))

    def _read(self, row: Row, places: Places, own: Any) -> None:
        given = row.values
        given["product"] = product_of(given["product"])
        for field, read in (
            ("identity", lambda v: store.read_identity(given["product"].protocol, v)),
            ("iccid", store.read_iccid),
            ("sim_phone", read_sim_phone),
        ):
            try:
                given[field] = read(given.get(field) or "")
            except Invalid as error:
                row.refuse(field, error.errors[field][0], f"{field}.form")
        given["card"] = blind_index(given.get("iccid") or "", ICCID_PURPOSE)
        given["place"] = places.settle(row) if given.get("region") else own
        received = given.setdefault("received_on", self.today) or self.today
        if received > self.today:
            row.refuse("received_on", _("The day lies in the future."), "date.future")
        if given.get("warranty_until") and given["warranty_until"] < received:
            row.refuse("warranty_until", _("The warranty ends before the device came."), "date.range")

    def _once(self, row: Row, field: str, key: Any, known: bool, seen: dict, words: str) -> None:
        if known:
            row.refuse(field, words, "registered")
        else:
            row.once(seen, **{field: key})

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        now, made, trail = timezone.now(), [], []
        ids = bulk.reserve_ids(Device, len(rows))
        for pk, row in zip(ids, rows, strict=True):
            given, known = row.values, row.values["product"]
            sim = given.get("sim_phone") or ""
            made.append(
                Device(
                    pk=pk, product=known.code, kind=known.kind, protocol=known.protocol, identity=given["identity"],
                    serial=given.get("serial") or "", iccid=given.get("iccid") or "", iccid_index=given["card"], sim_phone=sim,
                    sim_index=blind_index(phone_digits(sim), SIM_PURPOSE) if sim else None, region=given["place"],
                    path=given["place"].path, service_fee=given.get("service_fee") or 0, sim_fee=given.get("sim_fee") or 0,
                    payer=given.get("payer") or Payer.GOVERNMENT, warranty_until=given.get("warranty_until"),
                    received_on=given["received_on"] or self.today,
                )
            )  # fmt: skip
            trail.append(_trail(pk, Action.RECEIVE, "", State.STOCK, self.actor, now, batch.source_of(row.number)))
        Device.objects.bulk_create(made, batch_size=1000)
        with as_system("the trail is written by the room"):
            DeviceLog.objects.bulk_create(trail, batch_size=2000)
        emit(events.REGISTERED, path=self.actor.path, count=len(made))
        advance(len(rows))
        return {"new": len(made)}


@register
class BindingImport(Import):
    """Who has which device: the ID number of an elder and the number of a device in stock, one binding a row."""

    kind = "devices.bindings"
    title = gettext_lazy("List of issued devices")
    permission = "devices.issue"

    def describe(self) -> Sequence[Field]:
        text, agreed = parsers.text, parsers.choice(YES, none=NO)
        return (
            *who_columns(self.today),
            Field("identity", _("Device number"), text(64), NUMBER, required=True, example="8800000015"),
            Field("on", pgettext("device", "Issued on"), parsers.day, ("发放日期", "领取日期", "绑定日期"), required=True),
            Field("location", _("Agrees to position"), agreed, ("位置授权", "同意定位", "定位同意书"), choices=("是", "否")),
            Field("health_data", _("Agrees to health data"), agreed, ("健康授权", "同意健康数据", "健康同意书"), choices=("是", "否")),
            Field("deposit", _("Deposit (yuan)"), parsers.yuan, ("押金",)),
        )  # fmt: skip

    def check(self, rows: list[Row]) -> None:
        devices: dict[str, list[Device]] = {}
        visible = Device.objects.visible_to(self.actor).defer("iccid", "sim_phone", "iccid_index", "sim_index")
        for d in visible.filter(identity__in=[r.values["identity"] for r in rows]):
            devices.setdefault(d.identity, []).append(d)
        found = who_of(rows)
        held: dict[tuple[int, str], str] = {}
        for person, kind, number in Binding.objects.filter(
            person_id__in=[p.id for p in found.values()], returned_at__isnull=True
        ).values_list("person_id", "device__kind", "device__identity"):
            held[person, kind] = number
        seen: dict[tuple[str, Any], int] = {}
        for row in rows:
            self._check_device(row, devices.get(row.values["identity"], []))
            if not row.problems:
                row.values["person"] = found[row.number]
                self._check_pair(row, held, seen)

    def _check_device(self, row: Row, found: list[Device]) -> None:
        given = row.values
        if len(found) != 1:
            row.refuse(
                "identity",
                _("Several devices have this number: bind this one by hand.")
                if found
                else _("No device of your area has this number. Import the devices first."),
                "device",
            )
            return
        given["device"] = found[0]
        if found[0].state != State.STOCK:
            row.refuse(
                "identity",
                _("The device is not in stock: %(state)s.") % {"state": found[0].get_state_display()},
                "state",
            )
        if given["on"] > self.today:
            row.refuse("on", _("The day lies in the future."), "date.future")

    def _check_pair(self, row: Row, held: dict, seen: dict) -> None:
        person, device = row.values["person"], row.values["device"]
        kind = Kind(device.kind)
        if number := kind.one_each and held.get((person.id, kind)):
            row.refuse(
                "id_number", _("Has a device of this kind already (%(number)s).") % {"number": number}, "one_each"
            )
        else:
            row.once(seen, identity=device.pk, **({"id_number": (person.id, kind)} if kind.one_each else {}))

    def commit(self, rows: list[Row], batch, advance: Callable[[int], None]) -> dict[str, int]:
        now, made, trail = timezone.now(), [], []
        for row in rows:
            given, person = row.values, row.values["person"]
            at = timezone.make_aware(datetime.combine(given["on"], time(0)))
            said = batch.source_of(row.number)
            made.append(
                Binding(
                    device=given["device"], person_id=person.id, path=person.path, issued_at=at, issued_by=self.actor.name[:100],
                    deposit=given.get("deposit") or 0, source=said,
                )
            )  # fmt: skip
            trail.append(_trail(given["device"].pk, Action.ISSUE, State.STOCK, State.ISSUED, self.actor, now, said))
        ids = {b.device_id for b in made}
        free = Device.objects.select_for_update(of=("self",)).filter(pk__in=ids, state=State.STOCK).order_by("pk")
        if {pk for (pk,) in free.values_list("pk")} != ids:
            for row in rows:
                DEVICE_FLOW.require(Device.objects.get(pk=row.values["device"].pk), Action.ISSUE)
        Binding.objects.bulk_create(made, batch_size=1000)
        with as_system("the devices go to the regions of their wearers; the trail is written by the room"):
            bulk.update_rows(
                Device,
                ("id", "person_id", "path"),
                [(b.device_id, b.person_id, b.path) for b in made],
                state=State.ISSUED,
            )
            DeviceLog.objects.bulk_create(trail, batch_size=2000)
        for purpose in (Purpose.LOCATION, Purpose.HEALTH_DATA):
            agreed = [r.values["person"].id for r in rows if r.values.get(purpose.value) == "yes"]
            if agreed:
                text = privacy.consent_text(purpose, self.today)
                people_services.give_listed_consents(
                    actor=self.actor, person_ids=agreed, purpose=purpose, version=text.version if text else "",
                    given_on=self.today, extent=batch.origin[:200],
                )  # fmt: skip
        emit(events.REGISTERED, path=self.actor.path, count=len(made))
        advance(len(rows))
        return {"new": len(made)}
