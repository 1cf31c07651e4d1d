"""Building a demo city, stage by stage: regions, accounts, elders, providers, entitlements, orders."""

from dataclasses import replace
from datetime import date, datetime

from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone, translation
from rich.console import Console
from rich.table import Table

from sangyu.kernel.actor import Actor
from sangyu.kernel.database_objects import sangyu_models
from sangyu.kernel.errors import Invalid
from sangyu.kernel.models import Event
from sangyu.kernel.scoping import scope
from sangyu.registry.people import counts
from sangyu.registry.people import selectors as people
from sangyu.registry.people.models import Person
from sangyu.registry.regions import services as regions
from sangyu.registry.regions.enums import Flag, Level
from sangyu.registry.regions.models import Region

from ..engines.process import EngineError
from .accounts import PASSWORD, Accounts, show_the_busy, sign_ins
from .assessments import Assessments
from .benefits import Months
from .claims import Claims
from .copying import ACTOR, SOURCE, say_who
from .devices import Devices
from .emergencies import Emergencies
from .entitlements import Entitlement
from .families import open_family_accounts
from .filework import file_work
from .people import load_people
from .places import places
from .providers import Provision
from .signals import Signals
from .stages import Stages


def build(
    *,
    elders: int = 5000,
    city: str = "2108",
    reset: bool = False,
    orders: int | None = None,
    runs: bool = True,
    now: datetime | None = None,
    console: Console | None = None,
) -> None:
    """Fill the database with a demo city of ``elders`` elders; what is there already stays, so a second call changes nothing.

    ``city`` is the first four digits of the division code. ``reset`` first empties a database that holds a demo city. ``orders``
    bounds the visits (default about 400); without ``runs`` no month's benefits are computed and paid. Raises EngineError for a
    database with people who are not of the demo, for an unknown city and for fewer than 100 elders. Runs as the owner of the
    tables, outside any scope.
    """
    if elders < 100:
        raise EngineError("A demo city needs at least 100 elders: --elders 100.")
    console, now = console or Console(), now or timezone.now()
    stages = Stages(city, console)
    with translation.override("zh-hans"):
        _require_demo(stages, reset)
        _build(stages, elders=elders, city=city, orders=orders, runs=runs, now=now)
        _tell(console)


def _require_demo(stages: Stages, reset: bool) -> None:
    """Refuse to mix demo people with others."""
    if stages.any_done():
        if reset:
            empty_database()
            stages.console.print("  The demo city was taken down.")
        return
    if Person.objects.exists():
        raise EngineError(
            "The database holds people who are not of this demo city. Name another folder with SANGYU_HOME, or another"
            " database."
        )


def _build(stages: Stages, *, elders: int, city: str, orders: int | None, runs: bool, now: datetime) -> None:
    today, seed = timezone.localdate(now), f"sangyu {city}"
    actor = Actor.job(ACTOR)
    try:
        stages.run("regions", "Regions", lambda step: regions.load(actor=actor, prefixes=(city,)).listed)
    except Invalid as error:
        raise EngineError(f"{error.message} --city takes the first four digits of a city's division code.") from error
    towns = places(city)
    region = Region.objects.get(level=Level.CITY, code__startswith=city, valid_to=None)
    counties = list(Region.objects.filter(parent=region, valid_to=None, flag=Flag.NONE).order_by("code"))
    accounts = Accounts(seed, today)
    first = towns[0].path
    levels = {int(Level(r.level)): r for r in Region.objects.filter(path__in=[first, first[:-3]])}
    stages.run("staff", "Staff accounts", lambda step: accounts.staff({**levels, int(Level.CITY): region}))
    stages.run(
        "people",
        "Elders",
        lambda step: load_people(towns, elders, today=today, seed=seed, step=step),
        total=elders,
    )
    _figures(stages.console, actor, region, today)
    provision = Provision(actor, accounts, region, counties, towns, today, seed)
    stages.run("catalogue", "Services", lambda step: provision.catalogue())
    stages.run("providers", "Providers and workers", lambda step: sum(provision.build()))
    stages.run(
        "families", "Families' accounts", lambda step: open_family_accounts(actor, accounts, first[:-3], today=today)
    )
    if apps.is_installed("sangyu.care.orders"):
        from .orders import Road

        road = Road(region, towns, now, seed, orders)
        stages.run("rules", "Fee and service rules", lambda step: road.rules(actor))
        stages.run("vouchers", "Vouchers", lambda step: road.vouchers())
        stages.run("orders", "Orders", road.build, total=road.count)
        stages.run("names", "Plain sign-in names", lambda step: show_the_busy(now))
    entitlement = Entitlement(region, counties, towns, now, seed, accounts)
    claims = Claims(region, now, seed)
    for name, label, work in (
        ("officers", "Second officers", entitlement.officers),
        ("policies", "Policies", entitlement.policies),
        ("facilities", "Facilities and residents", entitlement.facilities),
        ("favour", "Elders of the sign-ins", entitlement.favour),
        ("payees", "Accounts paid into", claims.payees),
        ("applications", "Applications", claims.applications),
        ("devices", "Devices", lambda: Devices(region, counties, now, seed).build(actor)),
        ("signals", "A week of signals", lambda: Signals(now, seed).build()),
        ("emergencies", "Emergencies", lambda: Emergencies(region, now, seed).build()),
        ("assessments", "Assessments", lambda: Assessments(counties, now, seed).build()),
    ):
        stages.run(name, label, lambda step, work=work: (say_who(), work())[1])
    if runs:
        stages.run("benefits", "Runs of three months", lambda step: Months(region, now).build())
    stages.run("filework", "Work on files", lambda step: file_work(counties, today))
    _rest(now)


def _rest(now: datetime) -> None:
    """What the demo wrote about the past is no news: nothing of it is pushed to screens when the platform starts."""
    Event.objects.filter(relayed_at=None).update(relayed_at=now)


def empty_database() -> None:
    """Empty every table of the platform and its jobs. Only ever called for a demo city."""
    tables = [m._meta.db_table for m in sangyu_models()]
    with transaction.atomic(), connection.cursor() as cursor:
        names = ", ".join(f'"{t}"' for t in [*tables, "procrastinate_jobs", "procrastinate_events"])
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")


def _figures(console: Console, actor: Actor, region: Region, today: date) -> None:
    """What the register counts: of 549,000 elders 939 are in special difficulty, 283 disabled and 656 partly (S2, R-023)."""
    actor = replace(actor, path=region.path)
    with scope(actor):
        living, hard = people.elders(actor, today).count(), counts.difficult(actor, today).whole
    console.print(
        f"{living:,} elders; in special difficulty {hard.total:,} = {hard.disabled:,} disabled + {hard.partly:,} partly",
        highlight=False,
    )


def _tell(console: Console) -> None:
    table = Table(title=f"Sign-ins · password {PASSWORD}")
    for heading in ("account", "role", "name", "region"):
        table.add_column(heading)
    for row in sign_ins():
        table.add_row(*row)
    console.print(table)
    console.print(
        "All people, numbers and organisations are made up. Nothing is ever dialled or sent.", highlight=False
    )


__all__ = ["SOURCE", "build", "empty_database"]
