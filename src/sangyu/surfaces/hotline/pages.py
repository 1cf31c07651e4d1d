"""One screen: queue on the left, caller and need in the middle, people to send on the right.

Every pane is a fragment with its own address, so the desk works by htmx on one page and by plain links without scripts.
"""

from datetime import datetime, timedelta

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sangyu.care.orders import selectors as orders
from sangyu.care.orders import services
from sangyu.care.orders.enums import Channel, State
from sangyu.care.orders.selectors import shown
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.registry.catalogue import selectors as catalogue
from sangyu.registry.people import selectors as people
from sangyu.ui.nav import Group, Nav
from sangyu.ui.pages import PlainPage

NAV = [Nav(gettext_lazy("Desk"), "headset", "hotline:desk", "orders.request", Group.INTAKE, 10, phone=True)]

#: What waits for the desk, most urgent first.
QUEUE_STATES = (State.REQUESTED, State.RECEIVED, State.OFFERED, State.ACCEPTED, State.ON_THE_WAY, State.DISPUTED)
QUEUE_LENGTH = 30


def queue(actor, now: datetime) -> list[dict]:
    """Orders that need the desk: missed visits, disputes, waiting for dispatch, unanswered offers; each with its
    clock.
    """
    rows = (
        orders.orders_visible(actor)
        .filter(state__in=QUEUE_STATES)
        .select_related("region")
        .order_by("dispatch_by", "pk")
    )
    found = []
    for order in rows[: QUEUE_LENGTH * 4]:
        missed = order.warned_missed_at is not None and order.state in (State.ACCEPTED, State.ON_THE_WAY)
        if order.state in (State.ACCEPTED, State.ON_THE_WAY) and not missed:
            continue
        late = order.state == State.RECEIVED and order.dispatch_by is not None and order.dispatch_by < now
        rank, kind, words = (
            (0, "sos", _("Visit missed"))
            if missed
            else (1, "fall", _("Disputed"))
            if order.state == State.DISPUTED
            else (2, "off", _("Dispatch is late"))
            if late
            else (3, "call", order.get_state_display())
        )
        minutes = int((now - order.requested_at).total_seconds()) // 60
        found.append(
            {
                "order": order,
                "rank": rank,
                "kind": kind,
                "words": words,
                "waited": shown.waited_words(minutes),
                "tone": "60" if missed or late else "",
            }
        )
    return sorted(found, key=lambda q: (q["rank"], q["order"].dispatch_by or now))[:QUEUE_LENGTH]


class NeedForm(forms.Form):
    item_code = forms.ChoiceField(label=gettext_lazy("Service"))
    planned_start = forms.DateTimeField(
        label=gettext_lazy("Wished time"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": 900}, format="%Y-%m-%dT%H:%M"),
    )
    quantity = forms.IntegerField(label=gettext_lazy("Quantity"), min_value=1, max_value=50, initial=1)
    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"), choices=[c for c in Channel.choices if c[0] in ("hotline", "station")]
    )
    requested_by = forms.CharField(label=gettext_lazy("Who asks"), max_length=60)
    worker_sex = forms.ChoiceField(
        label=gettext_lazy("Worker"),
        required=False,
        choices=[("", gettext_lazy("Either")), ("2", gettext_lazy("A woman")), ("1", gettext_lazy("A man"))],
    )
    wishes = forms.CharField(
        label=gettext_lazy("Wishes and notes"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args, path: str, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["item_code"].choices = [
            (str(label), [(i.code, i.name) for i in items])
            for label, items in _by_category(catalogue.items_for(path, localtime().date()))
        ]
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "input")


def _by_category(items) -> list[tuple[str, list]]:
    groups: dict[str, list] = {}
    for item in items:
        if item.at_home:
            groups.setdefault(item.get_category_display(), []).append(item)
    return list(groups.items())


class DeskPage(PlainPage):
    """The whole desk. ``?person=`` and ``?order=`` open its panes, so that back, reload and sharing work."""

    url, name, permission, title = "", "desk", "orders.request", gettext_lazy("Desk")
    live = ("orders",)
    template = "hotline/desk.html"

    def get_context(self) -> dict:
        context = {"queue": queue(self.actor, timezone.now()), "text": self.request.GET.get("q", "")}
        if text := context["text"]:
            context["found"] = found_people(self.actor, text)
        if person := self.request.GET.get("person"):
            context |= caller_context(self.actor, _number(person))
        if order := self.request.GET.get("order"):
            context |= order_context(self, _number(order))
        return context


def _number(text: str) -> int:
    if not text.isdigit():
        raise NotVisible
    return int(text)


def found_people(actor, text: str) -> list:
    """At most eight cards for what the caller gave: name, initials, number, last four, address."""
    ids = people.find_ids(actor, text, most=8)
    cards = people.person_cards(actor, ids)
    return [cards[i] for i in ids if i in cards]


def caller_context(actor, person_id: int, form: NeedForm | None = None) -> dict:
    """The caller's pane: card, contacts, last orders, the form."""
    card = people.person_card(actor, person_id)
    person = people.get_person(actor, person_id)
    health = [] if card.restricted else people.look_at_health(actor, person, _("12349 call"))
    tomorrow = (localtime() + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    return {
        "person": card,
        "contacts": [] if card.restricted else people.contacts(person)[:3],
        "health": people.health_lines(health),
        "recent": orders.orders_of_person(actor, person_id)[:3],
        "form": form
        or NeedForm(
            path=card.path,
            initial={"planned_start": tomorrow, "requested_by": _("the elder"), "channel": Channel.HOTLINE},
        ),
    }


def order_context(page: PlainPage, order_id: int) -> dict:
    """The dispatch pane: price and ranked people of one order."""
    order = orders.get_order(page.actor, order_id)
    return {
        "order": order,
        "price_lines": shown.price_lines(order),
        "elapsed": shown.waiting_text(order),
        "ranked": shown.ranked(page.actor, order),
        "offer": next((o for o in order.offers.all() if o.state == "open"), None),
    }


class QueuePane(PlainPage):
    url, name, permission = "queue/", "queue", "orders.request"
    template = "hotline/parts/queue.html"

    def get_context(self) -> dict:
        return {"queue": queue(self.actor, timezone.now())}


class FindPane(PlainPage):
    url, name, permission = "find/", "find", "orders.request"
    template = "hotline/parts/found.html"

    def get_context(self) -> dict:
        text = self.request.GET.get("q", "").strip()
        return {"text": text, "found": found_people(self.actor, text) if text else []}


class CallerPane(PlainPage):
    """The caller's card and the form; POST registers the need, prices it and answers with the dispatch pane."""

    url, name, permission = "people/<int:pk>/", "caller", "orders.request"
    template = "hotline/parts/caller.html"

    def get(self, request, *args, **kwargs) -> HttpResponse:
        if not self.partial:
            return self.redirect(f"{reverse('hotline:desk')}?person={kwargs['pk']}")
        return super().get(request, *args, **kwargs)

    def get_context(self) -> dict:
        return caller_context(self.actor, self.kwargs["pk"])

    def post(self, request, pk: int) -> HttpResponse:
        card = people.person_card(self.actor, pk)
        form = NeedForm(request.POST, path=card.path)
        if form.is_valid():
            try:
                need = dict(form.cleaned_data.items())
                order = services.request_and_receive(actor=self.actor, person_id=pk, **need)
            except Invalid as error:
                for field, messages in error.errors.items():
                    for message in messages:
                        form.add_error(field if field in form.fields else None, message)
            except Refused as error:
                form.add_error(None, error.message)
            else:
                address = f"{reverse('hotline:desk')}?person={pk}&order={order.pk}"
                return self.redirect(address, _("Registered: %(number)s.") % {"number": order.number})
        context = self.context(**caller_context(self.actor, pk, form))
        if self.partial:
            return self.render(self.template, context, status=422)
        return self.render("hotline/desk.html", {**context, "queue": queue(self.actor, timezone.now())}, status=422)


class PricePane(PlainPage):
    """What the need would cost, while it is being typed."""

    url, name, permission = "people/<int:pk>/price/", "price", "orders.request"
    template = "hotline/parts/price.html"

    def get_context(self) -> dict:
        card = people.person_card(self.actor, self.kwargs["pk"])
        form = NeedForm(self.request.GET, path=card.path)
        form.fields["requested_by"].required = form.fields["channel"].required = False
        if not form.is_valid():
            return {"quote": None}
        try:
            quote = services.price_preview(
                actor=self.actor,
                person_id=card.id,
                item_code=form.cleaned_data["item_code"],
                planned_start=form.cleaned_data["planned_start"],
                quantity=form.cleaned_data["quantity"],
            )
        except (Refused, Invalid) as error:
            return {"quote": None, "problem": str(error)}
        return {"quote": quote}


class SendAct(PlainPage):
    """Send from the desk and stay there."""

    url, name, permission = "orders/<int:pk>/send/", "send", "orders.dispatch"

    def get(self, request, pk: int) -> HttpResponse:
        return self.redirect(f"{reverse('hotline:desk')}?order={pk}")

    def post(self, request, pk: int) -> HttpResponse:
        form = _SendForm(request.POST)
        if not form.is_valid():
            raise Invalid({k: [str(m) for m in v] for k, v in form.errors.items()})
        order = services.offer(actor=self.actor, order_id=pk, **form.cleaned_data)
        address = f"{reverse('hotline:desk')}?person={order.person_id}&order={order.pk}"
        return self.redirect(
            address,
            _("Offered. The provider has until %(time)s to answer.")
            % {"time": localtime(_answer_by(self.actor, pk)).strftime("%H:%M")},
        )


class _SendForm(forms.Form):
    organisation_id = forms.IntegerField()
    worker_id = forms.IntegerField(required=False)
    second_worker_id = forms.IntegerField(required=False)
    override_reason = forms.CharField(required=False, max_length=300)


def _answer_by(actor, order_id: int) -> datetime:
    order = orders.get_order(actor, order_id)
    return next(o.answer_by for o in order.offers.all() if o.state == "open")
