"""Screens of the system administrator: exchanges that report calls, and their secrets."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from sangyu.ui.pages import ActionPage, FormPage, Link, ListPage, Masked, Moment, RowAction, Text
from sangyu.ui.pages.base import Page

from .. import forms, services
from ..models import Exchange

PERMISSION = "emergencies.exchanges"
LIST = ("emergencies:exchanges", _("Telephone exchanges"))


def _works(exchange: Exchange) -> bool:
    return exchange.stopped_at is None


class ExchangeList(ListPage):
    url, name, permission, title = "exchanges/", "exchanges", PERMISSION, _("Telephone exchanges")
    model, unit, sort = Exchange, _("exchanges"), "name"
    columns = [
        Text("name", pgettext_lazy("thing", "Name"), sort=True),
        Masked("secret_masked", _("Secret"), reveal="emergencies:exchange-secret", reveal_permission=PERMISSION),
        Moment("renewed_at", _("Secret since")),
        Moment("old_until", _("The one before holds until")),
        Moment("stopped_at", pgettext_lazy("exchange", "Stopped at")),
    ]
    row_actions = [
        RowAction(_("New secret"), "emergencies:exchange-renew"),
        RowAction(pgettext_lazy("exchange", "Stop"), "emergencies:exchange-stop", when=_works),
    ]
    head = [Link(_("Enter an exchange"), "emergencies:exchange-new", "plus", PERMISSION, "pri")]
    empty_text = _(
        "Events of calls are taken from any program with a token for it. Once an exchange stands here, each must be signed."
    )


class NewExchange(FormPage):
    url, name, permission, title = "exchanges/new/", "exchange-new", PERMISSION, _("Enter an exchange")
    form_class, service, parent = forms.ExchangeForm, services.add_exchange, LIST
    success = _("Entered. Show its secret in the list and type it into the exchange.")

    def success_url(self, result) -> str:
        return reverse(LIST[0])


class _Act(ActionPage):
    permission, model, argument, parent, leaves, irreversible = PERMISSION, Exchange, "exchange_id", LIST, True, True

    def get_title(self) -> str:
        return f"{self.title}：{self.object}"


class Renew(_Act):
    url, name, title, service = "exchanges/<int:pk>/renew/", "exchange-renew", _("New secret"), services.renew_exchange
    success = _("Show the new secret in the list and type it into the exchange.")

    def confirm_text(self) -> str:
        if self.object.stopped_at:
            return gettext("The exchange may report calls again, with a new secret.")
        return gettext("The secret of now holds for a day more; until then the exchange must have the new one.")


class Stop(_Act):
    url, name, title, service = (
        "exchanges/<int:pk>/stop/",
        "exchange-stop",
        pgettext_lazy("exchange", "Stop"),
        services.stop_exchange,
    )
    success = _("Its events are refused from now on.")

    def confirm_text(self) -> str:
        return gettext("Calls are then not told by this exchange any more: operators write them down by hand.")


class Reveal(Page):
    """POST answers the secret and logs the look."""

    url, name, permission = "exchanges/<int:pk>/secret/", "exchange-secret", PERMISSION

    def post(self, request, pk):
        purpose = request.POST.get("purpose") or f"page {request.headers.get('Referer', '')[-100:]}"
        value = services.reveal_exchange(actor=self.actor, exchange_id=pk, purpose=purpose)
        return HttpResponse(value, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


PAGES = (ExchangeList, NewExchange, Renew, Stop, Reveal)
