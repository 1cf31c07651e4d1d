"""Translations without gettext's programs: ``python -m sangyu.runtime.messages [--check | --add]``.

Without an option every app's ``locale/*/LC_MESSAGES/django.po`` becomes a ``.mo`` beside it. ``--check`` fails when a
message of the code or the templates has no zh_Hans translation, or has two that differ; ``--add`` appends such messages, untranslated, to their
app's file.
"""

import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import normalize, read_po
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).resolve().parents[1]
LANGUAGE = "zh_Hans"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
#: _("…") in a dynamic attribute of a component (:label="_('…')"), which Django's own extraction does not read.
_ATTRIBUTE = re.compile(r"""\s:[\w-]+=(?:"([^"]*)"|'([^']*)')""")
_CALL = re.compile(r"""_\(\s*(["'])((?:\\.|(?!\1).)+)\1\s*\)""")
_PLACEHOLDER = re.compile(r"%\(\w+\)[sdif]|%[sd]|\{\w*\}")


@dataclass(frozen=True)
class Message:
    """One translatable text as it stands in a file."""

    file: Path
    line: int
    context: str | None
    text: str
    plural: str | None = None


def catalogues(package: Path = PACKAGE) -> list[Path]:
    """All .po files, in a fixed order."""
    return sorted(package.glob("**/locale/*/LC_MESSAGES/django.po"))


def load(file: Path) -> Catalog:
    """The catalogue in ``file``; a broken file raises an error that names the line."""
    with file.open("rb") as source:
        return read_po(source, locale=file.parents[1].name, abort_invalid=True)


def compile_all(package: Path = PACKAGE) -> int:
    """Write each .mo that is older than its .po; returns how many."""
    written = 0
    for file in catalogues(package):
        target = file.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= file.stat().st_mtime_ns:
            continue
        made = io.BytesIO()
        write_mo(made, load(file))
        target.write_bytes(made.getvalue())
        written += 1
    return written


def used(package: Path = PACKAGE) -> Iterator[Message]:
    """Every message in the Python files and templates of ``package``."""
    for file in sorted(package.rglob("*")):
        if file.suffix == ".py" and "migrations" not in file.parts:
            yield from _extracted(file, file.read_text())
        elif file.suffix in {".html", ".txt"} and "templates" in file.parts:
            yield from _in_template(file, file.read_text())


def _in_template(file: Path, source: str) -> Iterator[Message]:
    # templatize blots out everything else; the rest of the indentation would confuse Python's tokenizer.
    yield from _extracted(file, "\n".join(line.lstrip() for line in templatize(source).splitlines()))
    for attribute in _ATTRIBUTE.finditer(source):
        for call in _CALL.finditer(attribute[1] or attribute[2] or ""):
            yield Message(file, source.count("\n", 0, attribute.start()) + 1, None, call[2])


def _extracted(file: Path, source: str) -> Iterator[Message]:
    for line, found, _comments, context in extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS):
        text, plural = found if isinstance(found, tuple) else (found, None)
        if text:
            yield Message(file, line, context, text, plural)


def _key(entry) -> tuple[str | None, str]:
    """Context and singular of a catalogue's entry."""
    return entry.context, entry.id[0] if isinstance(entry.id, tuple) else entry.id


def missing(package: Path = PACKAGE) -> list[Message]:
    """Messages without a translation, once each. A translation in any app counts: Django merges them."""
    known = {
        _key(m)
        for file in catalogues(package)
        if file.parents[1].name == LANGUAGE
        for m in load(file)
        if m.id and not m.fuzzy and (all(m.string) if isinstance(m.string, tuple) else m.string)
    }
    found: dict[tuple[str | None, str], Message] = {}
    for message in used(package):
        key = (message.context, message.text)
        if key not in known:
            found.setdefault(key, message)
    return list(found.values())


def misfits(package: Path = PACKAGE) -> list[str]:
    """Translations whose placeholders are not those of the original: they would fail or lose a value on screen."""
    found = []
    for file in catalogues(package):
        for m in load(file):
            if not m.id or not m.string:
                continue
            ids = m.id if isinstance(m.id, tuple) else (m.id,)
            allowed = set().union(*(_PLACEHOLDER.findall(i) for i in ids))
            for string in m.string if isinstance(m.string, tuple) else (m.string,):
                wrong = set(_PLACEHOLDER.findall(string)) - allowed
                lost = set(_PLACEHOLDER.findall(ids[-1])) - set(_PLACEHOLDER.findall(string))
                if string and (wrong or lost):
                    found.append(f"{file}:{m.lineno}: “{ids[0]}”: placeholders {sorted(wrong | lost)} do not match")
    return found


def clashes(package: Path = PACKAGE) -> list[str]:
    """Texts that two apps translate differently: on screen both would say what the app that comes first says. Give one a context."""
    said: dict[tuple[str | None, str], dict[str, Path]] = {}
    for file in catalogues(package):
        if file.parents[1].name == LANGUAGE:
            for m in load(file):
                if m.id and m.string:
                    said.setdefault(_key(m), {})[str(m.string)] = file
    return [
        f"“{text}”{f' ({context})' if context else ''} is translated differently: "
        + ", ".join(f"{words} in {file.relative_to(package)}" for words, file in found.items())
        for (context, text), found in said.items()
        if len(found) > 1
    ]


def catalogue_for(file: Path, package: Path = PACKAGE) -> Path:
    """The .po of the app that ``file`` belongs to."""
    folder = file.parent
    while folder != package and not (folder / "apps.py").exists():
        folder = folder.parent
    return folder / "locale" / LANGUAGE / "LC_MESSAGES/django.po"


_HEAD = (
    'msgid ""\nmsgstr ""\n"Language: zh_Hans\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    '"Plural-Forms: nplurals=1; plural=0;\\n"\n'
)


def add(package: Path = PACKAGE) -> int:
    """Append the missing messages, untranslated, to their apps' files; returns how many."""
    absent = missing(package)
    for message in absent:
        target = catalogue_for(message.file, package)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_HEAD)
        if any(_key(m) == (message.context, message.text) for m in load(target)):
            continue
        lines = [f"\n#: {message.file.relative_to(package)}"]
        if message.context:
            lines.append(f"msgctxt {normalize(message.context)}")
        lines.append(f"msgid {normalize(message.text)}")
        lines += [f"msgid_plural {normalize(message.plural)}", 'msgstr[0] ""'] if message.plural else ['msgstr ""']
        with target.open("a") as file:
            file.write("\n".join(lines) + "\n")
    return len(absent)


def main(words: list[str]) -> int:
    """Command line; exit code 1 when the check finds something."""
    if words == ["--add"]:
        print(f"{add()} messages added without a translation")
        return 0
    if words not in ([], ["--check"]):
        print(__doc__)
        return 2
    print(f"{compile_all()} of {len(catalogues())} catalogues compiled")
    if not words:
        return 0
    absent, wrong, double = missing(), misfits(), clashes()
    for message in absent:
        wanted = catalogue_for(message.file).relative_to(PACKAGE.parent)
        print(f"{message.file}:{message.line}: “{message.text}” has no translation in {wanted}")
    print(*wrong, *double, sep="\n", end="\n" if wrong or double else "")
    print(
        f"{len(absent)} messages without a zh_Hans translation, {len(wrong)} with other placeholders, "
        f"{len(double)} translated in two ways"
    )
    return 1 if absent or wrong or double else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
