"""Copy the browser files of third parties from ``node_modules`` to the static folder; they are never committed."""

import re
import shutil
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

TARGET = Path(__file__).resolve().parents[2] / "static" / "vendor"
#: What pages may load: file in node_modules → name under /static/vendor/.
WHITELIST = {
    "leaflet/dist/leaflet.js": "leaflet/leaflet.js",
    "leaflet/dist/leaflet.css": "leaflet/leaflet.css",
    "leaflet/dist/images/layers.png": "leaflet/images/layers.png",
    "leaflet/dist/images/layers-2x.png": "leaflet/images/layers-2x.png",
    "leaflet/dist/images/marker-icon.png": "leaflet/images/marker-icon.png",
    "leaflet/dist/images/marker-icon-2x.png": "leaflet/images/marker-icon-2x.png",
    "leaflet/dist/images/marker-shadow.png": "leaflet/images/marker-shadow.png",
}
SOURCE_MAP = re.compile(rb"^[ \t]*(//[#@]|/\*[#@]) sourceMappingURL=[^\n*]*(\*/)?[ \t]*\r?\n?", re.MULTILINE)


class Command(BaseCommand):
    help = "Copy whitelisted files from node_modules to static/vendor (after `npm ci`)."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--from", dest="source", default="node_modules", help="where npm put the packages")

    def handle(self, *args, source: str, **options) -> None:
        folder = Path(source).resolve()
        missing = [name for name in WHITELIST if not (folder / name).is_file()]
        if missing:
            raise CommandError(f"{folder} lacks {', '.join(missing)}. Run `npm ci --ignore-scripts` first.")
        shutil.rmtree(TARGET, ignore_errors=True)
        for name, wanted in WHITELIST.items():
            target = TARGET / wanted
            target.parent.mkdir(parents=True, exist_ok=True)
            content = (folder / name).read_bytes()
            if target.suffix in {".js", ".css"}:
                content = SOURCE_MAP.sub(b"", content)
            target.write_bytes(content)
        self.stdout.write(f"{len(WHITELIST)} files in {TARGET}")
