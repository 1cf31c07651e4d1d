from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "people.view": _("See the register of persons"),
    "people.register": _("Register persons"),
    "people.edit": _("Change a person's basic data, contacts and household"),
    "people.facts": _("Record and end status facts"),
    "people.life_events": _("Record death, move and admission"),
    "people.consent": _("Record and withdraw consent"),
    "people.own_consent": _("Let relatives see one's own file"),
    "people.reveal": _("Reveal identity and telephone numbers"),
    "people.health": _("See chronic conditions, allergies and medicines"),
    "people.health_record": _("Record and end chronic conditions, allergies and medicines"),
    "people.import": _("Import rosters"),
    "people.export": _("Export the register"),
    "people.restricted": _("Change files that are kept for a statute only"),
    "people.merge": _("Merge files of the same person, and undo it"),
    "people.reassign": _("Give many elders to another community, when an area is divided"),
    "people.guarded_notes": _("Read and write guarded legal notes"),
}
