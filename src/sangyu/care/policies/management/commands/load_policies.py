"""``load_policies data/policies/2108 [--region 210800]``: the policies of a folder become drafts, for somebody to approve."""

import re
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import SangyuError

from ...services import load

_REGION = re.compile(r"^(region|地区)\s*:.*$", re.MULTILINE)


class Command(BaseCommand):
    help = "Store policy files as drafts; all or nothing. A text that is there already is left alone."

    def add_arguments(self, parser) -> None:
        parser.add_argument("files", nargs="+", type=Path, help="files, or folders of .yaml files")
        parser.add_argument("--region", default="", help="code of the region to write into the texts instead of theirs")

    def handle(self, *args, files: list[Path], region: str, **options) -> None:
        texts = []
        try:
            for file in (f for given in files for f in (sorted(given.glob("*.yaml")) if given.is_dir() else [given])):
                text = file.read_text(encoding="utf-8")
                texts.append((file.name, _REGION.sub(f'region: "{region}"', text, count=1) if region else text))
            loaded = load(actor=Actor.job("load_policies"), files=texts)
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from error
        except SangyuError as error:
            raise CommandError(str(error).replace("; ", "\n")) from error
        self.stdout.write(f"{loaded.drafts} drafts, {loaded.unchanged} there already")
