"""What this room does when files are merged or parted elsewhere. Handlers run as jobs, at least once."""

from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.events import on
from sangyu.registry.people.events import MERGED, UNMERGED

from . import services


@on(MERGED)
def close_pair(actor: Actor, path: str, **payload) -> None:
    """The pair leaves the queue."""
    services.note_merge(actor, payload["id"], payload["gone"], payload["merge"], "")


@on(UNMERGED)
def keep_pair_apart(actor: Actor, path: str, **payload) -> None:
    """Who undoes a merge says that they are two persons."""
    services.note_merge(actor, payload["id"], payload["gone"], None, _("The merge was undone"))
