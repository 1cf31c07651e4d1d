"""Published rows are seen from below but changed only by the region that answers for them, or one above it."""

from django.utils.translation import gettext as _

from .actor import Actor, Audience
from .errors import Refused


def require_responsible(actor: Actor, path: str) -> None:
    """Raises Refused("scope.above") when a staff actor's region does not contain ``path``: it reads the row, no more."""
    if actor.audience is Audience.STAFF and not path.startswith(actor.path):
        raise Refused(
            _("This belongs to a region above or beside yours. Only that region can change it."), code="scope.above"
        )
