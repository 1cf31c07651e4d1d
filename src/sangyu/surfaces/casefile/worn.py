"""The tab of devices: what the person has now and had earlier (R-089), and what the timeline says of it."""

from django.urls import reverse
from django.utils.translation import gettext as _

from sangyu.care.signals import selectors as signals
from sangyu.registry.devices import selectors as devices

from .timeline import Asked, Entry, day_begins


def worn(page) -> dict:
    """Bindings that hold first; ``hears`` is whether consent to position and health holds."""
    file, actor = page.file, page.actor
    rows = list(devices.of_person(actor, file.person.pk)[:100])
    held = devices.consents_of([file.person.pk]).get(file.person.pk, frozenset())
    return {
        "now": [b for b in rows if b.returned_at is None],
        "earlier": [b for b in rows if b.returned_at is not None],
        "position": "location" in held,
        "health": "health_data" in held,
        "may_issue": file.staff and file.person.died_on is None and actor.may("devices.issue"),
        "staff": file.staff,
        "alarms": list(signals.alarms_of(actor, file.person.pk)[:8]) if file.staff else [],
        "last": signals.last_of(actor, [b.device_id for b in rows if b.returned_at is None]),
        "may_measure": file.staff and actor.may("signals.view"),
        **(signals.limit_lines(actor, file.person.pk) if file.staff and actor.may("signals.view") else {}),
        "may_place": file.staff and "location" in held and actor.may("signals.position"),
    }


def issues(asked: Asked) -> list[Entry]:
    """Devices issued and taken back; few, read whole."""
    file, made = asked.file, []
    for b in devices.of_person(file.actor, file.person.pk)[:100]:
        text = f"{b.device.get_kind_display()} {b.device.identity}"
        url = reverse("devices:detail", args=[b.device_id]) if file.staff else ""
        made.append(Entry(b.issued_at, 2 * b.pk, _("Device issued"), text, "", "", url, actor=b.issued_by))
        if b.returned_at:
            why = b.get_end_reason_display()
            made.append(
                Entry(b.returned_at, 2 * b.pk + 1, _("Device taken back"), text, why, "", url, actor=b.returned_by)
            )
    return asked.below(made)


def limits(asked: Asked) -> list[Entry]:
    """Personal limits and fences set and ended; few, read whole."""
    file, made = asked.file, []
    url = reverse("signals:limits", args=[file.person.pk])
    for line in signals.lines_ever(file.actor, file.person.pk):
        text, row = f"{line.title}：{line.says}", 4 * line.pk + 2 * line.fence
        title = _("Fence drawn") if line.fence else _("Personal limit set")
        made.append(
            Entry(line.set_at, row, title, text, line.reason, "acc", url, actor=line.set_by, reason=line.reason)
        )
        if line.until:
            title = _("Fence ended") if line.fence else _("Personal limit ended")
            made.append(Entry(day_begins(line.until), row + 1, title, text, "", "", url, day_only=True))
    return asked.below(made)
