"""Reading a catalogue file (``data/catalogue/*.yaml``): every mistake is named with file, line and remedy (design rule 3)."""

from datetime import date
from difflib import get_close_matches
from typing import Any, NamedTuple

import yaml
from django.utils.translation import gettext as _

from sangyu.kernel.errors import BadValue

from .enums import Audience, Category, LicenceKind, Skill, Unit

_WORDS = {"category": Category, "unit": Unit, "skill": Skill, "licence": LicenceKind}
_FLAGS = {"risk_check_replaces_crew", "is_basic", "is_voluntary", "is_confidential", "at_home", "sex_may_be_chosen"}
_TEXTS = {"name": 60, "description": 500, "source": 100}
_NUMBERS = {"duration_minutes": (1, 24 * 60), "crew_size": (1, 6)}
_REQUIRED = ("code", "name", "category", "unit", "duration_minutes")
_DEFAULTS = {
    "skill": Skill.NONE.value,
    "licence": LicenceKind.NONE.value,
    "crew_size": 1,
    "risk_check_replaces_crew": False,
    "is_basic": False,
    "is_voluntary": False,
    "is_confidential": False,
    "at_home": True,
    "sex_may_be_chosen": True,
    "description": "",
    "source": "",
}
_ITEM_KEYS = {"code", "valid_from", *_WORDS, *_FLAGS, *_TEXTS, *_NUMBERS}
_PACKAGE_KEYS = {"code", "name", "audience", "description", "valid_from", "lines"}


class ItemLine(NamedTuple):
    code: str
    valid_from: date
    fields: dict[str, Any]


class PackageLine(NamedTuple):
    code: str
    name: str
    audience: str
    description: str
    valid_from: date
    lines: dict[str, int]


class CatalogueFile(NamedTuple):
    items: list[ItemLine]
    packages: list[PackageLine]


def parse(text: str, filename: str) -> CatalogueFile:
    """The items and packages of ``text``. Raises BadValue whose message has one line per mistake."""
    return _Reader(filename).read(text)


class _Reader:
    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.mistakes: list[str] = []
        self.codes: dict[str, int] = {}

    def read(self, text: str) -> CatalogueFile:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as e:
            line = e.problem_mark.line + 1 if e.problem_mark else 1
            message = _("%(file)s, line %(line)d: not YAML: %(problem)s. Correct the line.")
            raise BadValue(
                message % {"file": self.filename, "line": line, "problem": e.problem or e.context},
                code="catalogue.yaml",
            ) from e
        top = self.mapping(root, {"valid_from", "items", "packages"}, _("the file")) if root is not None else None
        if top is None:
            self.say(root, _("the file has no content"), _("Write valid_from, items and packages."))
            self.fail()
        start = self.day(top.get("valid_from"), None)
        items = [i for node in self.sequence(top.get("items")) if (i := self.item(node, start))]
        codes = {i.code for i in items}
        packages = [p for node in self.sequence(top.get("packages")) if (p := self.package(node, start, codes))]
        self.fail()
        return CatalogueFile(items, packages)

    def fail(self) -> None:
        if self.mistakes:
            raise BadValue("\n".join(self.mistakes), code="catalogue.file")

    def say(self, node: yaml.Node | None, problem: str, remedy: str) -> None:
        line = node.start_mark.line + 1 if node is not None else 1
        self.mistakes.append(
            _("%(file)s, line %(line)d: %(problem)s. %(remedy)s")
            % {"file": self.filename, "line": line, "problem": problem, "remedy": remedy}
        )

    # -- nodes
    def mapping(self, node: yaml.Node, known: set[str], what: str) -> dict[str, yaml.Node] | None:
        if not isinstance(node, yaml.MappingNode):
            self.say(node, _("%(what)s must be a mapping") % {"what": what}, _("Write “key: value” lines."))
            return None
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value not in known:
                close = get_close_matches(str(key.value), known, n=1)
                hint = _("Did you mean “%(word)s”?") % {"word": close[0]} if close else _("Remove the line.")
                self.say(key, _("unknown field “%(name)s”") % {"name": key.value}, hint)
            elif key.value in found:
                self.say(key, _("“%(name)s” is given twice") % {"name": key.value}, _("Keep one of the two lines."))
            else:
                found[key.value] = value
        return found

    def sequence(self, node: yaml.Node | None) -> list[yaml.Node]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.say(node, _("a list is needed"), _("Begin each entry with “- ”."))
            return []
        return node.value

    def value(self, node: yaml.Node) -> Any:
        return yaml.SafeLoader("").construct_object(node, deep=True)

    def day(self, node: yaml.Node | None, default: date | None) -> date | None:
        if node is None:
            if default is None:
                self.say(None, _("“valid_from” is missing"), _("Write the first day: valid_from: 2026-01-01"))
            return default
        try:
            return date.fromisoformat(node.value)
        except (TypeError, ValueError):
            self.say(node, _("“valid_from” is not a date"), _("Write it like 2026-01-01."))
            return default

    # -- entries
    def code(self, node: yaml.Node) -> str:
        code = str(node.value)
        if not code.replace("-", "").replace("_", "").isalnum() or not code.isascii() or len(code) > 40:
            self.say(node, _("bad code “%(code)s”") % {"code": code}, _("Use up to 40 letters, digits and hyphens."))
        if code in self.codes:
            first = {"code": code, "line": self.codes[code]}
            self.say(node, _("the code “%(code)s” is used on line %(line)d too") % first, _("Give each its own code."))
        self.codes.setdefault(code, node.start_mark.line + 1)
        return code

    def item(self, node: yaml.Node, start: date | None) -> ItemLine | None:
        before = len(self.mistakes)
        raw = self.mapping(node, _ITEM_KEYS, _("an item"))
        if raw is None:
            return None
        for name in _REQUIRED:
            if name not in raw:
                self.say(node, _("“%(name)s” is missing") % {"name": name}, _("Add the field."))
        fields = dict(_DEFAULTS)
        for name, at in raw.items():
            if name not in ("code", "valid_from"):
                fields[name] = self.field(name, at)
        code = self.code(raw["code"]) if "code" in raw else ""
        if fields["risk_check_replaces_crew"] is True and fields["crew_size"] == 1:
            self.say(
                raw["risk_check_replaces_crew"],
                _("a risk check has no second worker to replace"),
                _("Set crew_size: 2 or remove the line."),
            )
        day = self.day(raw.get("valid_from"), start) if start or "valid_from" in raw else None
        return ItemLine(code, day, fields) if len(self.mistakes) == before and day else None

    def field(self, name: str, node: yaml.Node) -> Any:
        value = self.value(node)
        what = {"name": name, "value": node.value}
        if name in _WORDS:
            if value not in _WORDS[name].values:
                close = get_close_matches(str(value), _WORDS[name].values, n=1)
                hint = _("Did you mean “%(word)s”?") % {"word": close[0]} if close else ""
                known = _("Known: %(words)s.") % {"words": ", ".join(_WORDS[name].values)}
                self.say(node, _("“%(value)s” is not a value of %(name)s") % what, hint or known)
        elif name in _FLAGS:
            if not isinstance(value, bool):
                self.say(node, _("%(name)s is neither true nor false") % what, _("Write true or false."))
        elif name in _NUMBERS:
            low, high = _NUMBERS[name]
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                remedy = _("Write a whole number from %(low)d to %(high)d.") % {"low": low, "high": high}
                self.say(node, _("“%(value)s” does not fit %(name)s") % what, remedy)
        elif not isinstance(value, str) or not value.strip() or len(value) > _TEXTS[name]:
            remedy = _("Write a text of 1 to %(n)d characters.") % {"n": _TEXTS[name]}
            self.say(node, _("“%(value)s” does not fit %(name)s") % what, remedy)
        return value

    def package(self, node: yaml.Node, start: date | None, codes: set[str]) -> PackageLine | None:
        before = len(self.mistakes)
        raw = self.mapping(node, _PACKAGE_KEYS, _("a package"))
        if raw is None:
            return None
        for name in ("code", "name", "lines"):
            if name not in raw:
                self.say(node, _("“%(name)s” is missing") % {"name": name}, _("Add the field."))
        audience = self.value(raw["audience"]) if "audience" in raw else Audience.EVERYONE.value
        if audience not in Audience.values:
            known = _("Known: %(words)s.") % {"words": ", ".join(Audience.values)}
            self.say(raw["audience"], _("“%(value)s” is not a value of audience") % {"value": audience}, known)
        lines: dict[str, int] = {}
        for key, value in getattr(raw.get("lines"), "value", []):
            times = self.value(value)
            if key.value not in codes:
                close = get_close_matches(str(key.value), codes, n=1)
                hint = _("Did you mean “%(word)s”?") % {"word": close[0]} if close else _("Add the item first.")
                self.say(key, _("no item has the code “%(code)s”") % {"code": key.value}, hint)
            elif not isinstance(times, int) or not 1 <= times <= 124:
                self.say(
                    value,
                    _("“%(value)s” is not a number of times a month") % {"value": value.value},
                    _("Write 1 to 124."),
                )
            else:
                lines[key.value] = times
        code = self.code(raw["code"]) if "code" in raw else ""
        day = self.day(raw.get("valid_from"), start) if start or "valid_from" in raw else None
        if len(self.mistakes) > before or day is None:
            return None
        name = str(self.value(raw["name"]))
        description = str(self.value(raw["description"])) if "description" in raw else ""
        return PackageLine(code, name, audience, description, day, lines)
