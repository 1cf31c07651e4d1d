"""``sangyu django load_fee_rules FILE --region CODE [--from DATE]``."""

from datetime import date
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localdate

from sangyu.care.orders import services
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import SangyuError
from sangyu.kernel.scoping import scope
from sangyu.registry.regions import selectors as regions


class Command(BaseCommand):
    help = "Publish a YAML file of fee rules at a region from a day on."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--region", required=True, help="official code of the region, 6 or 12 digits")
        parser.add_argument("--from", dest="valid_from", type=date.fromisoformat, default=None)

    def handle(self, *, file: Path, region: str, valid_from: date | None, **options) -> None:
        actor = Actor.job("load_fee_rules")
        with scope(actor, source="command"):
            found = regions.by_code(region.ljust(12, "0"), localdate())
            if found is None:
                raise CommandError(f"No region has the code {region} today.")
            try:
                count = services.load_fee_rules(
                    actor=actor, region_id=found.pk, path=found.path, file=file, valid_from=valid_from
                )
            except (SangyuError, OSError) as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"{count} rules published at {found.name}.")
