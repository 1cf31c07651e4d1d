"""Acts on a person's health notes, and their workbook."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sangyu.kernel.importing.importer import Importer
from sangyu.ui.pages import ActionPage, FormPage, ImportPage

from . import forms, services
from .models import HealthNote, Person
from .pages import LIST
from .pages_acts import OfPerson, keep


class _Health(OfPerson):
    """Back to the file's basics."""

    permission = "people.health_record"

    def success_url(self, result=None) -> str:
        return reverse("casefile:basic", args=[self.person.pk])


class NoteHealth(_Health, FormPage):
    url, name, title = "<int:pk>/health/new/", "health_new", _("Record a condition, allergy or medicine")
    model, form_class, service, multipart = Person, forms.HealthForm, services.note_health, True

    def arguments(self, form) -> dict:
        given = dict(form.cleaned_data)
        evidence = keep(self, given.pop("evidence"))
        return {**given, "evidence_id": evidence}


class EndHealth(_Health, ActionPage):
    url, name, title = "health/<int:pk>/end/", "health_end", _("It holds no more")
    model, related, form_class, leaves = HealthNote, ("person",), forms.HealthEndForm, True
    submit_label, service, argument, success = _("End"), services.end_health_note, "note_id", _("Ended.")

    def confirm_text(self) -> str:
        return f"{self.object.get_kind_display()}：{self.object.words}"


class HealthUpload(ImportPage):
    url, name, permission, title = "import-health/", "import-health", "people.health_record", _("Import health notes")
    parent, back_url, importer = LIST, "people:list", Importer("people.health")
    help_text = _("One elder a row; several words in a cell stand with a comma between them.")
