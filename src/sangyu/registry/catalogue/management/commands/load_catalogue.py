"""``load_catalogue data/catalogue/s1.yaml --region 210800000000``: publish a catalogue file in a region."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, SangyuError
from sangyu.kernel.scoping import scope

from ...models import ServiceItem
from ...services import load_catalogue

Region = ServiceItem._meta.get_field("region").related_model


class Command(BaseCommand):
    help = "Publish a catalogue file in a region; all or nothing."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--region", required=True, help="12-digit code of the publishing region")

    def handle(self, *args, file: Path, region: str, **options) -> None:
        found = Region.objects.filter(code=region, valid_to__isnull=True).first()
        if found is None:
            raise CommandError(f"No region has the code {region}. Give the 12-digit code, for example 210800000000.")
        actor = Actor.job("load_catalogue", found.path)
        try:
            text = file.read_text(encoding="utf-8")
            with scope(actor, source=f"file {file.name}"):
                loaded = load_catalogue(
                    actor=actor, region=found, text=text, filename=file.name, today=timezone.localdate()
                )
        except OSError as e:
            raise CommandError(f"{file} cannot be read: {e.strerror}.") from e
        except Invalid as e:
            raise CommandError("\n".join(str(m) for messages in e.errors.values() for m in messages)) from e
        except SangyuError as e:
            raise CommandError(str(e)) from e
        self.stdout.write(
            f"{file.name}: {loaded.created} new items, {loaded.changed} new versions, {loaded.unchanged} unchanged, "
            f"{loaded.packages} packages, in {found.full_name or found.name}"
        )
