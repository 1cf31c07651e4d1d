from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.publishing import require_responsible

from ..enums import State
from ..models import Organisation


def own_organisation(actor: Actor, pk: int) -> Organisation:
    """The locked row that ``actor`` sees and answers for. Raises NotVisible, Refused("scope.above"), Refused when ended."""
    row = Organisation.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        raise NotVisible
    require_responsible(actor, row.path)
    if row.state == State.ENDED:
        raise Refused(_("The organisation has ended; its record is closed."), code="organisations.ended")
    return row


def check_interval(valid_from, valid_to) -> None:
    """Raises Invalid for an interval without a day."""
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid({"valid_to": [_("The end must be after the start.")]})


def check_word(name: str, value: str, words) -> None:
    """Raises Invalid when ``value`` is none of the choices ``words``."""
    if value not in words.values:
        raise Invalid({name: [_("Choose one of: %(words)s") % {"words": ", ".join(words.values)}]})
