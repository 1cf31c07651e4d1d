"""The shipped scales and mappings: files of ``data/``, read once a process."""

from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from sangyu.engines.assessment import Instrument, payment, read
from sangyu.engines.assessment import settings as setting_rules
from sangyu.kernel.errors import Invalid

#: The scale whose result is the ability level of the register.
ABILITY = "gbt-42195-2022"


def folder() -> Path:
    return settings.DATA / "instruments"


@cache
def shipped() -> dict[str, tuple[Instrument, str]]:
    """Code → (instrument, its text), in the order of the files."""
    made = {}
    for path in sorted(folder().glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        instrument = read(text, file=path.name)
        made[instrument.code] = instrument, text
    return made


def shipped_text(code: str) -> tuple[Instrument, str]:
    """One of ``shipped``. Raises Invalid for a code that is none."""
    if code not in shipped():
        raise Invalid({"instrument": [_("There is no scale “%(code)s”.") % {"code": code}]})
    return shipped()[code]


def for_use() -> list[Instrument]:
    """Scales that new assessments may use: not the ones kept for history."""
    return [i for i, _text in shipped().values() if i.purpose != "history"]


@cache
def parsed(text: str) -> Instrument:
    """The instrument of a stored version."""
    return read(text, file="instrument")


@cache
def payment_mappings() -> tuple[payment.Mapping, ...]:
    """All files of ``data/levels`` but the rules of settings, those of wider regions first; in one the later beginning last."""
    found: list[payment.Mapping] = []
    for path in sorted((settings.DATA / "levels").glob("*.yaml")):
        if path.name != "settings.yaml":
            found += payment.read(path.read_text(encoding="utf-8"), file=path.name)
    return tuple(sorted(found, key=lambda m: (len(m.region), m.valid_from)))


@cache
def settings_of_care() -> tuple[setting_rules.SettingRule, ...]:
    path = settings.DATA / "levels" / "settings.yaml"
    return tuple(setting_rules.read(path.read_text(encoding="utf-8"), file=path.name))
