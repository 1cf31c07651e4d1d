from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "dossier.view": _("See the papers of a file"),
    "dossier.papers": _("Add and withdraw papers of a file"),
    "dossier.check": _("Note that a file was checked"),
    "dossier.assign": _("Assign files to be checked"),
    "dossier.reads": _("See who looked at a person's data"),
    "dossier.code": _("Print and replace the code on the elder's card"),
}
