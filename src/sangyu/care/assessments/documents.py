"""The assessment report as paper (form C of GB/T 42195-2022): what was found, by which rule, who signed."""

import base64
from datetime import datetime
from pathlib import Path

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sangyu.kernel import files, printing
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import NotVisible

from .enums import Informant, NeedKind, Special
from .models import Assessment

TEMPLATE = Path(__file__).parent / "templates/assessments/report.typ"


def _picture(actor: Actor, file_id: int | None) -> str:
    """A signature as base64, "" when there is none or it is not for the actor."""
    if file_id is None:
        return ""
    try:
        return base64.b64encode(files.read(actor, file_id)).decode()
    except NotVisible:
        return ""


def report(actor: Actor, row: Assessment, *, now: datetime) -> bytes:
    """The PDF of an assessment with a complete sheet."""
    sheet, instrument = row.sheet, row.version.instrument
    result = sheet.result
    data = {
        "number": row.number,
        "name": row.person_name,
        "scale": f"{row.version.name}　{row.version.document}",
        "reason": str(row.get_reason_display()),
        "state": str(row.get_state_display()),
        "visited": f"{localtime(row.visited_at):%Y-%m-%d}" if row.visited_at else "",
        "decided": f"{localtime(row.decided_at):%Y-%m-%d}" if row.decided_at else "",
        "informant": f"{Informant(sheet.informant).label if sheet.informant else ''} {sheet.informant_name}".strip(),
        "printed": f"{localtime(now):%Y-%m-%d %H:%M}",
        "total": f"{result['total']} / {result['most']}",
        "preliminary": result["preliminary_name"],
        "rule": f"{result['rule_text']}（{result['mark']}）",
        "level": result["level_name"],
        "parts": [[p["name"], f"{p['score']} / {p['most']}", p["level_name"] or "—", p["text"]] for p in result["parts"]],
        "changes": [[c["name"], c["text"], c["reason"]] for c in result["changes"]],
        "items": [
            [i.code, i.name, str(o.score), o.text]
            for p in instrument.parts
            for i in p.items
            if (o := i.option(sheet.answers.get(i.code, "")))
        ],
        "special": "、".join(str(Special(s).label) for s in sheet.special),
        "needs": "、".join(str(NeedKind(n).label) for n in sheet.needs),
        "remark": sheet.remark,
        "signatures": [
            {"who": str(_("First assessor")), "picture": _picture(actor, sheet.signed_lead_id)},
            {"who": str(_("Second assessor")), "picture": _picture(actor, sheet.signed_second_id)},
            {"who": str(_("Informant")), "picture": _picture(actor, sheet.signed_informant_id)},
        ],
        "words": {
            key: str(words)
            for key, words in {
                "title": _("Assessment report"), "number": _("Number"), "name": _("Name"), "scale": _("Scale"),
                "reason": _("Reason"), "state": _("State"), "visited": _("Visited at"), "decided": _("Decided at"),
                "informant": _("Informant"), "part": _("Part"), "points": pgettext("assessments", "Points"), "part_level": _("Level of the part"),
                "rule": _("Rule"), "total": _("Total"), "preliminary": _("Preliminary level"), "level": _("Final level"),
                "changes": _("Reasons to change the level"), "none": _("None"), "items": _("Answers"),
                "special": _("Special care"), "needs": _("Needs, most important first"), "remark": _("Remark"),
            }.items()
        },
    }  # fmt: skip
    return printing.pdf(TEMPLATE, data)
