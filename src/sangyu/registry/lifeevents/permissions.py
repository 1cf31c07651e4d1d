"""Recording is ``people.life_events``: one right for what changes the register, whichever page it is done on."""

from django.utils.translation import gettext_lazy as _

PERMISSIONS = {
    "lifeevents.view": _("See life events and their check lists"),
    "lifeevents.notices": _("Read notices about people one serves or looks after"),
}
