"""Pages for everybody, without the menu and without a sign-in; public notices, one community at a time (R-029, R-039)."""

from abc import ABC, abstractmethod
from typing import ClassVar

from django.http import HttpResponse

from .base import Page


class PublicPage(Page):
    """A page without the menu that anybody may open; what it reads goes through ``kernel.scoping.for_everybody``."""

    access, base = "public", "ui/base_public.html"
    template: ClassVar[str] = ""

    def get(self, request, *args, **kwargs) -> HttpResponse:
        return self.render(self.template, self.context(**self.get_context()))

    def get_context(self) -> dict:
        return {}


class PublicNoticeList(PublicPage, ABC):
    """All notices that hang out today: override ``entries``."""

    template = "ui/public/notices.html"

    @abstractmethod
    def entries(self) -> list[tuple[str, str, str]]:
        """(title, address, one line below it)."""

    def get_context(self) -> dict:
        return {"entries": self.entries()}


class PublicNotice(PublicPage, ABC):
    """One notice: what it says above, then the rows of the chosen community. Override ``notice``, ``places`` and ``rows``."""

    template = "ui/public/notice.html"
    #: (heading, class of the cell); the first column leads the row.
    heads: ClassVar[list[tuple[str, str]]] = []

    @abstractmethod
    def notice(self) -> tuple[str, str]:
        """(heading, sentence about the period and the objection). Raises NotVisible."""

    @abstractmethod
    def places(self) -> list[tuple[str, str, int]]:
        """(path, name, rows) of the communities."""

    @abstractmethod
    def rows(self, path: str) -> list[list[str]]:
        """Cells of one community, names masked."""

    def get_context(self) -> dict:
        heading, sentence = self.notice()
        places = self.places()
        place = self.request.GET.get("place") or (places[0][0] if places else "")
        known = place in {path for path, _name, _n in places}
        rows = [list(zip(row, self.heads, strict=True)) for row in self.rows(place)] if known else []
        return {
            "heading": heading, "sentence": sentence, "places": places, "place": place, "heads": self.heads, "rows": rows,
        }  # fmt: skip
