"""Handing a file over to another county: first what is still open with the rooms (迁出; docs/adr/0014-transfers.md)."""

from functools import cached_property

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sangyu.care.orders import selectors as orders
from sangyu.care.vouchers import selectors as vouchers
from sangyu.care.vouchers.enums import State as VoucherState
from sangyu.kernel.errors import NotVisible, Refused
from sangyu.registry.duplicates import selectors as duplicates
from sangyu.registry.people import selectors as people
from sangyu.registry.transfers import selectors, services
from sangyu.ui.pages import PlainPage


class HandOver(PlainPage):
    """The check list of what will end, stay or go along; then the decision."""

    url, name, permission, title = "transfers/<int:pk>/", "hand_over", "transfers.decide", _("Hand over a file")
    template = "casefile/hand_over.html"

    @cached_property
    def request_(self):
        row = selectors.get_transfer(self.actor, self.kwargs["pk"])
        if row is None or not selectors.holds(self.actor, row):
            raise NotVisible
        return row

    def breadcrumbs(self):
        row = self.request_
        return [
            (str(_("Moves in and out")), reverse("transfers:list")),
            (row.number, reverse("transfers:detail", args=[row.pk])),
        ]

    def get_context(self, refusal: str = "") -> dict:
        row = self.request_
        card = people.person_card(self.actor, row.person_id) if row.state == "requested" else None
        return {"row": row, "card": card, "items": self.items() if card else [], "refusal": refusal}

    def items(self) -> list[dict]:
        """(words, number, what becomes of it, address) of what is open."""
        pk, actor = self.request_.person_id, self.actor
        coming = orders.orders_of_person(actor, pk).open() if actor.may("orders.view") else None
        live = (
            vouchers.vouchers_of_person(actor, pk).filter(state=VoucherState.ACTIVE)
            if actor.may("vouchers.view")
            else None
        )
        agreements = orders.agreements_of_person(actor, pk).filter(state="signed") if actor.may("orders.view") else None
        file = reverse("casefile:page", args=[pk])
        made = [
            (
                _("Open orders"),
                coming,
                _("Those from the day of the move on are cancelled without fee."),
                f"{file}services/",
            ),
            (
                _("Vouchers in use"),
                live,
                _("They stay with the county that pays them; use or cancel them first."),
                f"{file}vouchers/",
            ),
            (
                _("Service agreements"),
                agreements,
                _("They stay with this county; end them with the provider."),
                f"{file}services/",
            ),
        ]
        found = [
            {"words": words, "n": rows.count(), "then": then, "url": url}
            for words, rows, then, url in made
            if rows is not None
        ]
        pairs = duplicates.of_person(actor, pk) if actor.may("duplicates.review") else []
        found.append({
            "words": _("Possible duplicates"), "n": len(pairs), "then": _("Merge first: afterwards only the city sees both files."),
            "url": reverse("casefile:compare", args=[pairs[0].first_id, pairs[0].second_id]) if pairs else "",
        })  # fmt: skip
        return found

    def get(self, request, *args, **kwargs):
        if self.request_.state != "requested":
            return self.redirect(reverse("transfers:detail", args=[self.request_.pk]))
        return super().get(request, *args, **kwargs)

    def post(self, request, *args, **kwargs):
        row = self.request_
        try:
            services.agree(actor=self.actor, transfer_id=row.pk, answer=request.POST.get("answer", "")[:300])
        except Refused as error:
            return self.render(self.template, self.context(**self.get_context(error.message)), status=error.status)
        words = gettext("Handed over: %(name)s belongs to %(region)s.") % {
            "name": row.name,
            "region": row.region.full_name,
        }
        return self.redirect(reverse("transfers:detail", args=[row.pk]), words)
