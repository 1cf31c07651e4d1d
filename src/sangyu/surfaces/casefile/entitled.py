"""What facilities and applications tell the timeline."""

from django.urls import reverse
from django.utils.translation import gettext as _

from sangyu.care.applications import selectors as applications
from sangyu.registry.facilities import selectors as facilities

from .timeline import Asked, Entry


def stays(asked: Asked) -> list[Entry]:
    """Admissions and discharges; few, read whole."""
    made = []
    for stay in facilities.stays_of(asked.file.actor, asked.file.person.pk):
        until = f" – {stay.valid_to:%Y-%m-%d}" if stay.valid_to else ""
        note = "，".join(filter(None, [f"{stay.valid_from:%Y-%m-%d}{until}", stay.bed, stay.get_end_reason_display()]))
        url = reverse("facilities:detail", args=[stay.facility_id])
        made.append(Entry(stay.recorded_at, stay.pk, _("Lives in a facility"), stay.facility.name, note, "info", url))
    return asked.below(made)


def asked_for(asked: Asked) -> list[Entry]:
    """Applications with their answer; few, read whole."""
    return asked.below(
        Entry(
            a.decided_at or a.submitted_at, a.pk, _("Application for a policy"), a.policy_name,
            f"{a.number} {a.get_state_display()}" + (f"：{a.answer}" if a.answer else ""), "",
            reverse("applications:detail", args=[a.pk]) if asked.file.staff else "", actor=a.applicant,
        )
        for a in applications.applications_of(asked.file.actor, asked.file.person.pk)
    )  # fmt: skip
