"""The text that is read to 120 or 110. Short sentences in the order in which they ask."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from .enums import Answer, Kind


def words(card, now: datetime) -> str:
    """Lines for one case (``selectors.Card``)."""
    i, p = card.incident, card.person
    lines = [_("This is the 12349 emergency desk, case %(number)s.") % {"number": i.number}]
    if i.drill:
        lines.insert(0, _("This is a drill."))
    who = i.person_name or _("An unknown person")
    if p is not None and p.age is not None:
        who = _("%(name)s, %(sex)s, %(age)s years old") % {"name": who, "sex": p.sex_label, "age": p.age}
    minutes = max(0, int((now - i.alarm_at).total_seconds() // 60))
    what = {"what": Kind(i.kind).label, "minutes": minutes, "time": f"{timezone.localtime(i.alarm_at):%H:%M}"}
    lines += [who, _("%(what)s at %(time)s, %(minutes)s minutes ago") % what]
    lines.append(_("Address: %(address)s") % {"address": i.where})
    if i.latitude is not None and i.placed_at is not None:
        place = {"latitude": f"{i.latitude:.6f}", "longitude": f"{i.longitude:.6f}", "accuracy": round(i.accuracy or 0)}
        lines.append(_("Position (WGS-84): %(latitude)s, %(longitude)s, within %(accuracy)s m") % place)
    if i.text:
        lines.append(_("Said: %(text)s") % {"text": i.text})
    if card.row.tags:
        lines.append(_("Known: %(tags)s") % {"tags": "、".join(card.row.tags)})
    lines += [f"{kind}：{said}" for kind, said, _grave in card.health]
    going = [x.name for x in card.parties if x.answer == Answer.ACCEPTED]
    if going:
        lines.append(_("On the way or there: %(names)s") % {"names": "、".join(going)})
    near = [f"{c.name} {c.get_relation_display()}" for c in card.contacts[:2]]
    if near:
        lines.append(_("Relatives: %(names)s") % {"names": "、".join(near)})
    return "\n".join(lines)
