"""The shipped question sheets: files of ``data/questionnaires``, read once a process; the versions in use."""

import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from sangyu.care.assessments.enums import NeedKind
from sangyu.engines.questionnaire import Option, Sheet, Vocabulary, read
from sangyu.kernel.errors import Invalid
from sangyu.registry.people.enums import FACT_VALUES, FactKind

from .enums import FollowUpKind


def folder() -> Path:
    return settings.DATA / "questionnaires"


def vocabulary() -> Vocabulary:
    """What an answer may state."""
    facts = {str(kind): {str(v): str(label) for v, label in values.items()} for kind, values in FACT_VALUES.items()}
    return Vocabulary(facts, tuple(NeedKind.values), tuple(FollowUpKind.values))


@cache
def parsed(text: str) -> Sheet:
    """The sheet of a stored version."""
    return read(text, file="questionnaire", words=vocabulary())


@cache
def shipped() -> dict[str, tuple[Sheet, str]]:
    """Code → (sheet, its text), in the order of the files."""
    made = {}
    for path in sorted(folder().glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        sheet = read(text, file=path.name, words=vocabulary())
        made[sheet.code] = sheet, text
    return made


def shipped_text(code: str) -> tuple[Sheet, str, str]:
    """(sheet, text, digest) of one of ``shipped``. Raises Invalid for a code that is none."""
    if code not in shipped():
        raise Invalid({"sheet": [_("There is no question sheet “%(code)s”.") % {"code": code}]})
    sheet, text = shipped()[code]
    return sheet, text, hashlib.sha256(text.encode()).hexdigest()


def meaning(option: Option) -> str:
    """What an answer means, in words: 居住状况：独居；跟进：探访."""
    said = [f"{FactKind(kind).label}：{FACT_VALUES[kind][value]}" for kind, value in option.facts.items()]
    if option.needs:
        said.append(_("need: %(words)s") % {"words": "、".join(str(NeedKind(n).label) for n in option.needs)})
    if option.follow_up:
        said.append(
            _("follow-up: %(words)s") % {"words": "、".join(str(FollowUpKind(f).label) for f in option.follow_up)}
        )
    return "；".join(said)
