"""Columns: one declaration serves the table, the summary list, the print view and the spreadsheet."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from enum import Enum
from typing import Any, ClassVar

from django.core.exceptions import FieldDoesNotExist
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.ui import format as fmt


@dataclass
class Column:
    """``name`` is a path of attributes ("region.name"); a method without arguments is called.

    ``sort`` True sorts by the field, a string by that lookup. ``link`` is a url name (argument: pk) or a function of the
    row. ``hidden`` columns are offered in the column choice. ``permission``: others do not have the column at all.
    """

    name: str
    label: Any = ""
    _: KW_ONLY
    sort: bool | str = False
    link: str | Callable[[Any], str] | None = None
    hidden: bool = False
    permission: str = ""
    value: Callable[[Any], Any] | None = None
    width: int = 16

    css: ClassVar[str] = ""

    def get(self, row: Any) -> Any:
        """The raw value of ``row``."""
        if self.value is not None:
            return self.value(row)
        found: Any = row
        for part in self.name.replace("__", ".").split("."):
            found = getattr(found, part, None)
            if callable(found) and not hasattr(found, "all"):
                found = found()
            if found is None:
                return None
        return found

    def text(self, row: Any) -> str:
        """As text: files, print, screen readers."""
        return fmt.plain(self.get(row))

    def html(self, row: Any, actor: Actor | None = None) -> str:
        """As a table cell or list value; escaped."""
        return self.linked(row, self.text(row))

    def linked(self, row: Any, content: Any) -> Any:
        url = self.link(row) if callable(self.link) else (fmt.address(self.link, row.pk) if self.link else "")
        return format_html('<a class="name" href="{}">{}</a>', url, content) if url else content

    def export(self, row: Any, actor: Actor | None) -> Any:
        """As a spreadsheet cell: text unless it is a quantity."""
        found = self.text(row)
        return "" if found == fmt.DASH else found

    def heading(self, model: Any = None) -> str:
        """The label, or the model field's verbose name."""
        if self.label:
            return str(self.label)
        if model is not None:
            try:
                return capfirst(str(model._meta.get_field(self.name.split(".")[0].split("__")[0]).verbose_name))
            except FieldDoesNotExist:
                pass
        return capfirst(self.name.replace("_", " ").replace(".", " "))

    @property
    def sort_field(self) -> str:
        """The lookup it sorts by, or ""."""
        if self.sort is True:
            return self.name.replace(".", "__")
        return self.sort or ""

    @property
    def key(self) -> str:
        """Short name in the address of the page."""
        return self.name.replace(".", "__")


@dataclass
class Text(Column):
    """Text, as it is."""


@dataclass
class Area(Text):
    """A region's full name; on the screen without what stands above the actor's own, which goes without saying."""

    def html(self, row, actor=None):
        whole = self.text(row)
        below = whole.partition(actor.region_name)[2] if actor and actor.region_name else ""
        return self.linked(row, below or whole)


@dataclass
class Number(Column):
    """A count: right-aligned, thousands separated, a number in the spreadsheet."""

    css: ClassVar[str] = "c-num"

    def text(self, row):
        return fmt.number(self.get(row))

    def export(self, row, actor):
        return self.get(row)


@dataclass
class Money(Column):
    """Integer fen: "30.00 元" on screen, yuan with two decimals in the spreadsheet."""

    css: ClassVar[str] = "c-num"

    def text(self, row):
        return fmt.money(self.get(row))

    def export(self, row, actor):
        return fmt.yuan(self.get(row))


Amount = Money


@dataclass
class Day(Column):
    """A date: YYYY-MM-DD."""

    css: ClassVar[str] = "sec"

    def text(self, row):
        return fmt.day(self.get(row))


@dataclass
class Moment(Column):
    """A time: YYYY-MM-DD HH:mm."""

    css: ClassVar[str] = "sec"

    def text(self, row):
        return fmt.moment(self.get(row))


@dataclass
class YesNo(Column):
    """True, False, or — when unknown."""


@dataclass
class Choice(Column):
    """The label of a choices field, of ``enum``, or from ``words``."""

    enum: type[Enum] | None = None
    words: dict | None = None

    def text(self, row):
        found = self.get(row)
        if found is None or found == "":
            return fmt.DASH
        if self.words is not None:
            return str(self.words.get(found, found))
        if self.enum is not None:
            return str(self.enum(found).label)
        display = getattr(row, f"get_{self.name}_display", None)
        return str(display()) if display else str(found)


@dataclass
class Status(Choice):
    """A state: shape + word + colour. The tone lives with the enum (``tone`` property) or in ``tones``."""

    tones: dict | None = None
    as_tag: bool = False

    def tone(self, row) -> str:
        found = self.get(row)
        if self.tones is not None:
            return self.tones.get(found, "mute")
        return getattr(self.enum(found), "tone", "mute") if self.enum is not None else "mute"

    def html(self, row, actor=None):
        text = self.text(row)
        return text if text == fmt.DASH else self.linked(row, fmt.tag(text, self.tone(row), status=not self.as_tag))


@dataclass
class LevelColumn(Choice):
    """An ability level 0–4 with its bars."""

    def html(self, row, actor=None):
        found = self.get(row)
        return fmt.DASH if found is None or found == "" else fmt.level(int(found), self.text(row))


@dataclass
class Tags(Column):
    """A list of words or (word, tone) pairs; at most three are shown, the rest as a number."""

    def pairs(self, row) -> list[tuple[str, str]]:
        return [(str(i[0]), i[1]) if isinstance(i, tuple) else (str(i), "line") for i in self.get(row) or []]

    def text(self, row):
        return "、".join(word for word, _tone in self.pairs(row)) or fmt.DASH

    def html(self, row, actor=None):
        pairs = self.pairs(row)
        if not pairs:
            return fmt.DASH
        shown = [fmt.tag(word, tone) for word, tone in pairs[:3]]
        if len(pairs) > 3:
            shown.append(format_html('<span class="muted xs" title="{}">+{}</span>', self.text(row), len(pairs) - 3))
        return format_html('<span class="row">{}</span>', mark_safe("".join(shown)))  # each is escaped above


@dataclass
class Masked(Column):
    """Personal data: ``name`` gives the masked text; the button beside it posts to ``reveal`` (url name, pk), which logs
    the look and answers the full value. In files the full value (``full``) goes only to holders of ``reveal_permission``.
    """

    reveal: str = ""
    reveal_permission: str = ""
    full: Callable[[Any], Any] | None = None
    mask: Callable[[Any], str] | None = None
    width: int = 22

    def text(self, row):
        found = self.get(row)
        return fmt.or_dash(self.mask(found) if self.mask else found)

    def html(self, row, actor=None):
        text = self.text(row)
        if text == fmt.DASH or not self.reveal or not (actor and actor.may(self.reveal_permission)):
            return text
        return format_html(
            '<span class="masked"><span data-masked>{}</span> <button class="eye" type="button" data-reveal="{}" aria-label="{}">'
            "{}</button></span>",
            text,
            fmt.address(self.reveal, row.pk),
            _("Show in full; this is recorded"),
            fmt.icon("eye"),
        )

    def export(self, row, actor):
        if self.full is not None and actor and self.reveal_permission and actor.may(self.reveal_permission):
            return self.full(row) or ""
        return super().export(row, actor)


@dataclass
class Custom(Column):
    """A cell drawn by ``draw(row)``, which returns escaped HTML; ``value``/``name`` gives the text for files."""

    draw: Callable[[Any], str] | None = None

    def html(self, row, actor=None):
        return self.draw(row) if self.draw else super().html(row, actor)
