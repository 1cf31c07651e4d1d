"""Sign-ins of a demo city: one for each role, and one for every manager and worker who acts in the demo's orders."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from django.contrib.auth.hashers import make_password
from django.db.models.functions import Length
from django.utils import timezone

from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.models import Share
from sangyu.registry.accounts import roles
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.accounts.selectors import actor_for, live_grants, mobile_index
from sangyu.registry.regions.models import Region

from . import names
from .phones import STAFF, demo_phone

#: One password for all, for a city in which nobody is real. It meets the rules, so that it can be kept.
PASSWORD = "Sangyu-2108"

#: role → (user name, title, level of the region: city, county, street, community)
STAFF_ROLES = {
    "bureau": ("bureau", "养老服务科科长", 2),
    "street": ("street", "街道民政办主任", 4),
    "community": ("community", "社区养老专干", 5),
    "operator": ("operator", "12349坐席员", 2),
    "dispatcher": ("dispatcher", "派单员", 2),
    "finance": ("finance", "结算会计", 2),
    "inspector": ("inspector", "监督检查员", 2),
    "legal_aid": ("legal", "法律援助员", 2),
    "system_administrator": ("sysadmin", "系统管理员", 2),
    "security_administrator": ("secadmin", "安全管理员", 2),
    "audit_administrator": ("auditadmin", "审计管理员", 2),
}


@dataclass
class Accounts:
    """Makes accounts; keeps the hash, which takes longer to compute than all else."""

    seed: str
    today: date
    made: int = field(default_factory=Account.objects.count)
    _hash: str = field(default_factory=lambda: make_password(PASSWORD))

    def make(
        self, username: str, name: str, role: str, region: Region, *, title: str = "", subject_id: int | None = None
    ) -> Account:
        """An account of ``role`` in ``region`` that signs in with the demo password; a family acts for itself."""
        self.made += 1
        mobile = demo_phone(STAFF, self.made)
        account = Account.objects.create(
            username=username,
            name=name,
            title=title,
            region=region,
            path=region.path,
            mobile=mobile,
            mobile_index=mobile_index(mobile),
            must_change_password=False,
            password=self._hash,
        )
        audience = roles.role(role).audience
        Grant.objects.create(
            account=account,
            role=role,
            audience=audience,
            path=region.path,
            region=region,
            subject_id=account.pk if audience is Audience.FAMILY else subject_id,
            valid_from=self.today.replace(year=self.today.year - 2, day=1),
        )
        return account

    def staff(self, regions: dict[int, Region]) -> int:
        """One of each staff role; ``regions`` by level. Returns how many."""
        rng = Random(f"{self.seed} staff")
        for role, (username, title, level) in STAFF_ROLES.items():
            name = names.draw(rng, rng.choice("12"), rng.randint(1976, 1996)).text
            self.make(username, name, role, regions.get(level) or regions[max(regions)], title=title)
        return len(STAFF_ROLES)


def acting(username: str) -> Actor:
    """The actor that ``username`` is after signing in."""
    account = Account.objects.get(username=username)
    return actor_for(account, live_grants(account)[0])


def sign_ins() -> list[tuple[str, str, str, str]]:
    """(user name, role, name, region) of the account with the plain name of each role, in the order of the roles."""
    rows = []
    for name, role in roles.all_roles().items():
        grant = Grant.objects.filter(role=name).select_related("account", "region")
        grant = grant.order_by(Length("account__username"), "id").first()
        if grant is not None:
            rows.append((grant.account.username, role.label, grant.account.name, grant.region.full_name))
    return rows


def show_the_busy(now: datetime) -> int:
    """Give the plain names (worker, manager, elder, family) to those with most to show today; returns the names moved."""
    from sangyu.care.orders.models import Order

    start = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    soon = Order.objects.filter(planned_start__gte=start, planned_start__lt=start + timedelta(days=2))
    soon = soon.exclude(state__in=["cancelled", "no_show"])
    looked_after = dict(Share.objects.filter(audience="family", kind="person").values_list("subject_id", "object_id"))
    weight = {
        "worker": Counter(soon.values_list("worker_id", flat=True)),
        "provider_manager": Counter(soon.values_list("organisation_id", flat=True))
        + Counter(dict.fromkeys(soon.filter(state="offered").values_list("organisation_id", flat=True), 5)),
    }
    people = Counter(Order.objects.exclude(state="cancelled").values_list("person_id", flat=True))
    moved = 0
    for role, plain in (
        ("worker", "worker"),
        ("provider_manager", "manager"),
        ("elder", "elder"),
        ("family", "family"),
    ):
        grants = list(Grant.objects.filter(role=role).select_related("account").order_by("account_id"))
        if not grants:
            continue

        def busy(grant: Grant, role: str = role) -> int:
            if role in weight:
                return weight[role][grant.subject_id]
            return people[looked_after.get(grant.account_id)]

        best = max(grants, key=busy)
        plainly = next((g for g in grants if g.account.username == plain), None)
        if plainly is None or best.account_id == plainly.account_id or busy(best) == busy(plainly):
            continue
        theirs = best.account.username
        Account.objects.filter(pk=plainly.account_id).update(username=f"{theirs}-moving")
        Account.objects.filter(pk=best.account_id).update(username=plain)
        Account.objects.filter(pk=plainly.account_id).update(username=theirs)
        moved += 1
    return moved
