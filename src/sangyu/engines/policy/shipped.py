"""The shipped policies as the demo city shows them: which packages, and in which of its regions (data/policies/demo.yaml)."""

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

_REGION = re.compile(r"^region:.*$", re.MULTILINE)


def texts(folder: Path, city: str, counties: Sequence[str]) -> list[tuple[str, str]]:
    """(file name, text) of every policy that the demo shows, its region set to the city's code or to that of the n-th county."""
    found = []
    for package in yaml.safe_load((folder / "demo.yaml").read_text(encoding="utf-8")):
        place = package["place"]
        region = city if place == "city" else sorted(counties)[place - 1]
        for file in sorted((folder / package["folder"]).glob("*.yaml")):
            text = _REGION.sub(f'region: "{region}"', file.read_text(encoding="utf-8"), count=1)
            found.append((f"{package['folder']}/{file.name}", text))
    return found
