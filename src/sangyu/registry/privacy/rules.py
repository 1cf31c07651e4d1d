"""Texts of consent, statutory grounds and rules of retention: data of ``data/privacy``, read once a process."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import get_language

from sangyu.registry.people.enums import Purpose


@dataclass(frozen=True)
class Text:
    """What a person agrees to, in one version; ``sensitive`` needs separate consent (PIPL 29)."""

    purpose: str
    version: str
    valid_from: date
    text: str
    sensitive: bool


@dataclass(frozen=True)
class Ground:
    """A use that rests on a statute."""

    use: dict[str, str]
    data: dict[str, str]
    statute: str
    keep: dict[str, str]

    def said(self, name: str) -> str:
        words = getattr(self, name)
        return words.get(get_language() or "", words["en"])


@dataclass(frozen=True)
class Retention:
    """What a deletion clears of a model, and the statute by which its rows stay."""

    clear: tuple[str, ...]
    keep: str


def _read(name: str) -> Any:
    path = Path(settings.DATA) / "privacy" / name
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error


@cache
def texts() -> dict[str, list[Text]]:
    """Purpose → its texts, the newest first. Every purpose has one; a mistake names the file and the remedy."""
    found = {
        purpose: sorted(
            (Text(purpose, str(t["version"]), t["from"], t["text"], bool(t["sensitive"])) for t in versions),
            key=lambda t: t.valid_from,
            reverse=True,
        )
        for purpose, versions in _read("texts.yaml").items()
    }
    if unknown := set(found) - set(Purpose.values):
        raise ImproperlyConfigured(f"texts.yaml: unknown purposes {', '.join(sorted(unknown))}")
    if missing := set(Purpose.values) - set(found):
        raise ImproperlyConfigured(f"texts.yaml: no text for {', '.join(sorted(missing))}")
    return found


def text_on(purpose: str, day: date) -> Text | None:
    """The text of ``purpose`` that holds on ``day``."""
    return next((t for t in texts()[purpose] if t.valid_from <= day), None)


@cache
def grounds() -> tuple[Ground, ...]:
    return tuple(Ground(**entry) for entry in _read("grounds.yaml"))


@cache
def retention() -> dict[str, Retention]:
    """Model label → rule."""
    return {label: Retention(tuple(r["clear"]), r["keep"]) for label, r in _read("retention.yaml").items()}
