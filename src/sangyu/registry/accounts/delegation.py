"""Who may hand out what, and the log of it for the level above (R-176).

A role is given at or below the giver's own region, and only one that the giver's role may give there (``gives`` in
roles.yaml). The same rule guards every act on an account: who could not give all its roles may not touch it, or he would act
through it. Loading the roles refuses tables in which a chain of givers reaches further than its first one.
"""

from collections.abc import Callable
from datetime import date

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import NotVisible, Refused
from sangyu.kernel.scoping import as_system
from sangyu.registry.regions import selectors as regions

from . import roles
from .enums import Act
from .models import Account, DelegatedAct, Grant

#: Audience → path of the subject with this number, None when there is none; said by the room that owns the subjects.
SUBJECTS: dict[Audience, Callable[[int], str | None]] = {}


def register_subject(audience: Audience, path_of: Callable[[int], str | None]) -> None:
    """Tell how to find the region path of a provider or worker (in the room's ``AppConfig.ready``)."""
    SUBJECTS[audience] = path_of


def givable(actor: Actor) -> frozenset[str]:
    """Names of the roles that ``actor`` may hand out in its region and below."""
    if actor.audience is Audience.JOB:
        return frozenset(roles.all_roles())
    declared = roles.all_roles().get(actor.role)
    if declared is None or not declared.gives:
        return frozenset()
    region = regions.at_path(actor.path)
    return declared.gives.get(region.level, frozenset()) if region else frozenset()


def check_role(actor: Actor, role: str) -> None:
    """Raises Refused("accounts.not_delegated") for a role that ``actor`` may not hand out."""
    if role not in givable(actor):
        raise Refused(_("Your role may not hand out this role."), code="accounts.not_delegated")


def check_subject(actor: Actor, audience: Audience, subject_id: int | None) -> None:
    """A provider or worker must be of the actor's region or below. Raises NotVisible."""
    path_of = SUBJECTS.get(audience)
    if path_of is None or actor.audience is Audience.JOB:
        return
    with as_system("where the provider or worker belongs"):
        path = path_of(subject_id)
    if path is None or not path.startswith(actor.path):
        raise NotVisible


def _live(account: Account, day: date) -> list[Grant]:
    with as_system("roles outside the administrator's area protect the account too"):
        return list(Grant.objects.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=day), account=account))


def guard(actor: Actor, account: Account, *, any_role: bool = False, day: date | None = None) -> None:
    """Whether ``actor`` may act on ``account``: each of its roles, present and coming, lies in the actor's region, and is
    one that he may hand out (``any_role``: the security administrator looks at the region only).

    Raises Refused("accounts.above").
    """
    if actor.audience is Audience.JOB:
        return
    mine = givable(actor)
    for grant in _live(account, day or timezone.localdate()):
        if not grant.path.startswith(actor.path) or not (any_role or grant.role in mine):
            raise Refused(
                _("This account has a role that you may not hand out. Ask the administrator of the level above."),
                code="accounts.above",
            )


def log(
    actor: Actor, act: Act, account: Account, *, role: str = "", region_id: int | None = None, reason: str = ""
) -> None:
    """One row for the level above."""
    row = entry(actor, act, account, None, role, reason)
    row.region_id = region_id
    row.save()


def entry(actor: Actor, act: Act, account: Account, region=None, role: str = "", reason: str = "") -> DelegatedAct:
    """A row of the log, not yet written."""
    return DelegatedAct(
        path=actor.path, act=act, account=account, role=role, region=region, reason=reason[:300],
        by_account=actor.account_id, by_name=actor.name, by_role=actor.role, by_area=actor.region_name,
    )  # fmt: skip


def visible(actor: Actor) -> QuerySet[DelegatedAct]:
    """The log of the actor's region and of those below, newest first."""
    return DelegatedAct.objects.visible_to(actor).select_related("account", "region").order_by("-id")
