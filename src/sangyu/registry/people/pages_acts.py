"""Acts on one file: status, contacts, consent, life events, guarded notes."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from sangyu.kernel import files
from sangyu.ui.pages import ActionPage, FormPage, PlainPage
from sangyu.ui.pages.base import ObjectMixin

from . import forms, selectors, services
from .models import Consent, Contact, Person, PersonFact


class OfPerson:
    """Breadcrumbs and way back to the file; ``tab`` names the tab to return to."""

    argument = "person_id"

    @property
    def person(self) -> Person:
        found = self.object
        return found if isinstance(found, Person) else getattr(found, "person", None) or found.subject

    def breadcrumbs(self):
        name = "people:detail" + (f"-{self.tab}" if self.tab else "")
        return [(_t("Elders"), reverse("people:list")), (self.person.name, reverse(name, args=[self.person.pk]))]

    def success_url(self, result=None):
        return self.breadcrumbs()[-1][1]


def _keep(page, upload):
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
            evidence_id=_keep(self, given["evidence"]),
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
        return _t("%(name)s will no longer be called for %(person)s.") % {
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
        evidence = _keep(self, given.pop("evidence"))
        return services.give_consent(actor=self.actor, person_id=self.object.pk, evidence_id=evidence, **given)


class WithdrawConsent(OfPerson, ActionPage):
    url, name, permission, title = "consents/<int:pk>/withdraw/", "consent_withdraw", "people.consent", _("Withdraw")
    model, related, form_class, tab, leaves = Consent, ("person",), forms.WithdrawForm, "consents", True
    submit_label = _("Withdraw")
    service, argument, success = services.withdraw_consent, "consent_id", _("Withdrawn.")

    def get_initial(self):
        return {"withdrawn_on": timezone.localdate()}


class CheckFile(OfPerson, ActionPage):
    url, name, permission, title = "<int:pk>/check/", "check", "people.edit", _("File checked")
    model, form_class, leaves = Person, forms.CheckForm, True
    service, success = services.confirm_check, _("Noted.")

    def get_initial(self):
        return {"on": timezone.localdate()}


class RecordDeath(OfPerson, ActionPage):
    url, name, permission, title = "<int:pk>/death/", "death", "people.life_events", _("Record death")
    model, form_class, leaves, irreversible = Person, forms.DeathForm, True, True
    service, success = services.record_death, _("Recorded.")

    def confirm_text(self):
        return _t("Open orders and vouchers of %(name)s will be stopped.") % {"name": self.object.name}


class RevokeDeath(OfPerson, ActionPage):
    url, name, permission = "<int:pk>/death/take-back/", "revoke_death", "people.life_events"
    title, model, form_class, leaves = _("Take death back"), Person, forms.ReasonForm, True
    service, success = services.revoke_death, _("Taken back.")


class Move(OfPerson, FormPage):
    url, name, permission, title = "<int:pk>/move/", "move", "people.life_events", _("Move to another area")
    model, form_class = Person, forms.MoveForm
    intro = _("The whole file goes to the new community; past days keep the old one.")
    service = services.move

    def form_kwargs(self):
        return {"actor": self.actor}

    def get_initial(self):
        return {"moved_on": timezone.localdate()}


class Admit(OfPerson, ActionPage):
    url, name, permission, title = "<int:pk>/admit/", "admit", "people.life_events", _("Admission")
    model, form_class, leaves = Person, forms.AdmissionForm, True
    service, success = services.admit_to_institution, _("Recorded.")


class Discharge(OfPerson, ActionPage):
    url, name, permission, title = "<int:pk>/discharge/", "discharge", "people.life_events", _("Home again")
    model, form_class, leaves = Person, forms.DischargeForm, True
    service, success = services.discharge_from_institution, _("Recorded.")


class GuardedNotes(OfPerson, ObjectMixin, PlainPage):
    """Reading is logged each time the page opens (R-028)."""

    url, name, permission = "<int:pk>/notes/", "notes", "people.guarded_notes"
    title, model, template = _("Guarded notes"), Person, "people/notes.html"

    def get(self, request, *args, **kwargs):
        self.object = self.get_object()
        return super().get(request, *args, **kwargs)

    def get_context(self):
        notes = services.read_guarded_notes(actor=self.actor, person_id=self.object.pk, purpose=_t("Guarded notes"))
        return {"notes": notes, "person": self.object}


class WriteNote(OfPerson, FormPage):
    url, name, permission, title = "<int:pk>/notes/new/", "note_new", "people.guarded_notes", _("New guarded note")
    model, form_class = Person, forms.NoteForm
    service = services.write_guarded_note

    def success_url(self, result=None):
        return reverse("people:notes", args=[self.object.pk])
