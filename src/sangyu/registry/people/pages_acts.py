"""Acts on one file: status, contacts, consent, family access, guarded notes."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sangyu.kernel import files
from sangyu.ui.pages import ActionPage, FormPage

from . import forms, selectors, services
from .models import Consent, Contact, GuardedNote, Person, PersonFact


class OfPerson:
    """Breadcrumbs and way back to the file; ``tab`` names the tab to return to."""

    argument = "person_id"

    @property
    def person(self) -> Person:
        found = self.object
        return found if isinstance(found, Person) else getattr(found, "person", None) or found.subject

    def breadcrumbs(self):
        name = "people:detail" + (f"-{self.tab}" if self.tab else "")
        return [(gettext("Elders"), reverse("people:list")), (self.person.name, reverse(name, args=[self.person.pk]))]

    def success_url(self, result=None):
        return self.breadcrumbs()[-1][1]


def keep(page, upload):
    """Save an uploaded piece of evidence with the person's file; its id or None."""
    if not upload:
        return None
    return files.save(
        page.actor, title=upload.name, content_type=upload.content_type, stream=upload, owner=page.person
    ).pk


class RecordFact(OfPerson, FormPage):
    url, name, permission, title = "<int:pk>/status/new/", "fact_new", "people.facts", _("Record a status")
    model, form_class, tab, multipart = Person, forms.FactForm, "status", True

    def get_initial(self):
        return {"valid_from": timezone.localdate()}

    def form_kwargs(self):
        return {"kind": self.request.GET.get("fact", "")}

    def save(self, form):
        given = form.cleaned_data
        kind, _sign, value = given["fact"].partition("=")
        last = given["last_day"]
        return services.record_fact(
            actor=self.actor,
            person_id=self.object.pk,
            kind=kind,
            value=value,
            valid_from=given["valid_from"],
            valid_to=last + timezone.timedelta(days=1) if last else None,
            source=given["source"],
            note=given["note"],
            evidence_id=keep(self, given["evidence"]),
        )


class EndFact(OfPerson, ActionPage):
    url, name, permission, title = "status/<int:pk>/end/", "fact_end", "people.facts", _("End a status")
    model, related, form_class, tab, leaves = PersonFact, ("subject",), forms.EndForm, "status", True
    submit_label = _("End")
    service, argument, success = services.end_fact, "fact_id", _("Ended.")

    def get_initial(self):
        return {"ends_on": timezone.localdate()}


class AddContact(OfPerson, FormPage):
    url, name, permission, title = "<int:pk>/contacts/new/", "contact_new", "people.edit", _("New contact")
    model, form_class, tab = Person, forms.ContactForm, "contacts"
    service = services.add_contact


class EditContact(OfPerson, FormPage):
    url, name, permission, title = "contacts/<int:pk>/edit/", "contact_edit", "people.edit", _("Edit contact")
    model, related, form_class, tab = Contact, ("person",), forms.ContactForm, "contacts"

    def get_initial(self):
        return {f: getattr(self.object, f) for f in forms.ContactForm.base_fields if f != "phone"}

    def get_form(self, data=None, files=None):
        form = super().get_form(data, files)
        form.fields["phone"].help_text = _("Leave empty to keep the number.")
        return form

    def save(self, form):
        changes = {k: v for k, v in form.cleaned_data.items() if k != "phone" or v}
        changes["priority"] = changes["priority"] or self.object.priority
        return services.update_contact(actor=self.actor, contact_id=self.object.pk, changes=changes)


class RemoveContact(OfPerson, ActionPage):
    url, name, permission, title = "contacts/<int:pk>/remove/", "contact_remove", "people.edit", _("Remove contact")
    model, related, tab, leaves, irreversible = Contact, ("person",), "contacts", True, True
    submit_label = _("Remove")
    service, argument, success = services.remove_contact, "contact_id", _("Removed.")

    def confirm_text(self):
        return gettext("%(name)s will no longer be called for %(person)s.") % {
            "name": self.object.name,
            "person": self.person.name,
        }


class Household(OfPerson, FormPage):
    url, name, permission, title = "<int:pk>/household/", "household", "people.edit", _("Home and household")
    model, form_class, tab = Person, forms.HouseholdForm, "contacts"
    service = services.set_household

    def get_initial(self):
        return {"address": self.object.address}


class GiveConsent(OfPerson, FormPage):
    url, name, permission, title = "<int:pk>/consents/new/", "consent_new", "people.consent", _("Record consent")
    model, form_class, tab, multipart = Person, forms.ConsentForm, "consents", True

    def get_initial(self):
        return {"given_on": timezone.localdate()}

    def form_kwargs(self):
        return {"contacts": selectors.contacts(self.object)}

    def save(self, form):
        given = dict(form.cleaned_data)
        evidence = keep(self, given.pop("evidence"))
        return services.give_consent(actor=self.actor, person_id=self.object.pk, evidence_id=evidence, **given)


class FamilyAccess(OfPerson, FormPage):
    """A relative is let in: which parts, on whose word, with what proof (R-027)."""

    url, name, permission = "<int:pk>/family-access/", "family_access", "people.consent"
    title, model, form_class, multipart = _("Family access"), Person, forms.FamilyAccessForm, True
    tab, wide = "consents", ("parts",)
    submit_label = _("Open access")
    intro = _(
        "The relative signs in with the mobile number of the contact and sees only the chosen parts, until withdrawn."
    )
    service = services.open_family_access

    def get_initial(self):
        contact = self.request.GET.get("contact", "")
        return {"given_on": timezone.localdate(), "parts": ["visits"], "contact_id": contact}

    def form_kwargs(self):
        return {"contacts": selectors.contacts(self.object)}

    def arguments(self, form):
        given = dict(form.cleaned_data)
        evidence = keep(self, given.pop("evidence"))
        return {**given, "evidence_id": evidence, "version": forms.FAMILY_TEXT}


class WithdrawConsent(OfPerson, ActionPage):
    url, name, permission, title = "consents/<int:pk>/withdraw/", "consent_withdraw", "people.consent", _("Withdraw")
    model, related, form_class, tab, leaves = Consent, ("person",), forms.WithdrawForm, "consents", True
    submit_label = _("Withdraw")
    service, argument, success = services.withdraw_consent, "consent_id", _("Withdrawn.")

    def get_initial(self):
        return {"withdrawn_on": timezone.localdate()}


class OpenNotes(OfPerson, FormPage):
    """Guarded notes: a reason is asked first, then they are shown once and the look is logged (R-028)."""

    url, name, permission, title = "<int:pk>/notes/", "notes", "people.guarded_notes", _("Guarded notes")
    model, form_class, submit_label = Person, forms.PurposeForm, _("Open the notes")
    intro = _("Legal concerns are opened for a reason. Each look is recorded with it.")
    service = services.read_guarded_notes

    def success_url(self, result=None):
        return reverse("people:notes", args=[self.object.pk])

    def post(self, request, *args, **kwargs):
        self.object = self.get_object()
        form = self.get_form(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        notes = self.call(form)
        return self.render("people/notes.html", self.context(notes=notes, person=self.object))


class WriteNote(OfPerson, FormPage):
    url, name, permission, title = "<int:pk>/notes/new/", "note_new", "people.guarded_notes", _("New guarded note")
    model, form_class = Person, forms.NoteForm
    service = services.write_guarded_note

    def success_url(self, result=None):
        return reverse("people:notes", args=[self.object.pk])


class CloseNote(OfPerson, ActionPage):
    url, name, permission, title = "notes/<int:pk>/close/", "note_close", "people.guarded_notes", _("Close the note")
    model, related, leaves = GuardedNote, ("person",), True
    submit_label, service, argument = _("Close the note"), services.close_guarded_note, "note_id"
    success = _("Closed.")

    def confirm_text(self):
        return str(_("The concern is settled. The note stays in the file."))

    def success_url(self, result=None):
        return reverse("people:notes", args=[self.person.pk])
