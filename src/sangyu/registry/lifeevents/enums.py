"""Kinds of life events and what each asks for. Values are stored and travel in events: never change one."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Kind(models.TextChoices):
    DEATH = "death", _("Death")
    MOVE = "move", pgettext_lazy("life event", "Move")
    INSTITUTION = "institution", _("Admission to an institution")
    HOSPITAL = "hospital", _("Stay in hospital")
    HOME = "home", _("Return home")

    @property
    def tone(self) -> str:
        return {"death": "mute", "hospital": "warn", "home": "ok"}.get(self.value, "info")


class ReportedBy(models.TextChoices):
    """Who told us (evidence of a life event)."""

    FAMILY = "family", _("Family")
    COMMUNITY = "community", pgettext_lazy("life event", "Community")
    PROVIDER = "provider", pgettext_lazy("life event", "Service provider")
    LIST = "list", pgettext_lazy("life event", "Status list")
    INSTITUTION = "institution", pgettext_lazy("life event", "Institution or hospital")
    SELF = "self", _("The person")
    OTHER = "other", pgettext_lazy("life event", "Other")


class ItemState(models.TextChoices):
    OPEN = "open", pgettext_lazy("check list", "Open")
    DONE = "done", pgettext_lazy("check list", "Done")
    NOT_NEEDED = "not_needed", pgettext_lazy("check list", "Not needed")

    @property
    def tone(self) -> str:
        return {"open": "bad", "done": "ok", "not_needed": "mute"}[self.value]


class Item(models.TextChoices):
    """What has to stop or change. Items of ``BY_ROOM`` are reported by the room that does them."""

    ORDERS = "orders", _("Open visits called off")
    AGREEMENTS = "agreements", _("Service agreements ended or adapted")
    VOUCHERS = "vouchers", _("Vouchers stopped")
    OVERUSE = "overuse", _("Amounts used after the day looked through")
    SUBSIDIES = "subsidies", _("Subsidies stopped or decided anew")
    ACCESS = "access", _("Family access ended")
    PROVIDERS = "providers", _("Access of providers and workers ended")
    DEVICES = "devices", _("Devices taken back")
    PARTIES = "parties", _("Family and providers told")
    ADDRESS = "address", _("New address and contacts checked")
    PLAN = "plan", _("Visits planned anew")
    RESTORE_ACCESS = "restore_access", _("Family access restored")
    RESTORE_ORDERS = "restore_orders", _("Called-off visits arranged anew")
    RESTORE_VOUCHERS = "restore_vouchers", _("Stopped vouchers issued anew")


#: Kind → its items in the order of the page.
CHECKLIST: dict[str, tuple[Item, ...]] = {
    Kind.DEATH: (
        Item.ORDERS, Item.AGREEMENTS, Item.VOUCHERS, Item.OVERUSE, Item.SUBSIDIES, Item.ACCESS, Item.PROVIDERS,
        Item.DEVICES, Item.PARTIES,
    ),
    Kind.MOVE: (Item.ORDERS, Item.AGREEMENTS, Item.SUBSIDIES, Item.ADDRESS, Item.PARTIES),
    Kind.INSTITUTION: (Item.ORDERS, Item.AGREEMENTS, Item.SUBSIDIES, Item.PARTIES),
    Kind.HOSPITAL: (Item.ORDERS, Item.PARTIES),
    Kind.HOME: (Item.PLAN, Item.SUBSIDIES, Item.PARTIES),
}  # fmt: skip
#: What a person must restore after a death that was recorded by mistake.
AFTER_MISTAKE = (Item.RESTORE_ACCESS, Item.RESTORE_ORDERS, Item.RESTORE_VOUCHERS, Item.PARTIES)
#: Done by the rooms themselves, as jobs: their report closes the item or leaves it open with what is left.
BY_ROOM = {Item.ORDERS, Item.VOUCHERS, Item.OVERUSE, Item.ACCESS, Item.PROVIDERS, Item.DEVICES, Item.RESTORE_ACCESS}
