"""Roles and who holds which permission, from ``data/roles/*.yaml`` (R-002, R-004, R-011).

``roles.yaml`` names the roles; one file per room maps permission → roles. A mistake stops loading with file, line
and remedy.
"""

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import yaml
from django.conf import settings
from django.utils.translation import get_language

from sangyu.kernel.actor import Audience
from sangyu.kernel.permissions import every_permission

from .enums import FactorPolicy

FIELDS = {"label", "audience", "second_factor", "session_minutes", "levels", "admin", "gives"}


class RolesError(ValueError):
    """A mistake in a role file; the message names file, line and remedy."""


@dataclass(frozen=True)
class Role:
    """One role. ``session_minutes`` is idle time; ``admin`` marks the three separate administrators."""

    name: str
    audience: Audience
    labels: dict[str, str]
    session_minutes: int
    second_factor: FactorPolicy = FactorPolicy.OPTIONAL
    admin: bool = False
    levels: tuple[int, ...] = ()
    permissions: frozenset[str] = frozenset()
    #: Level of the holder's region → roles that may be handed out there and below.
    gives: dict[int, frozenset[str]] = field(default_factory=dict, hash=False)

    @property
    def label(self) -> str:
        """The role's name in the active language."""
        return self.labels.get(get_language() or "", self.labels["en"])


def _fail(path: Path, node: yaml.Node, problem: str, remedy: str) -> None:
    raise RolesError(f"{path.name}, line {node.start_mark.line + 1}: {problem} {remedy}")


def _pairs(path: Path) -> list[tuple[yaml.Node, yaml.Node]]:
    """Key and value nodes of the mapping in ``path``; a repeated key is a mistake."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except yaml.YAMLError as e:
        raise RolesError(f"{path.name}: {e}. Correct the YAML.") from e
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        _fail(path, root, "the file must be a mapping.", "Write “name: value” lines.")
    seen: set[str] = set()
    for key, _value in root.value:
        if key.value in seen:
            _fail(path, key, f"“{key.value}” is named twice.", "Keep one of the two lines.")
        seen.add(key.value)
    return root.value


def _hint(word: str, known) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f"Did you mean “{close[0]}”?" if close else f"Known: {', '.join(sorted(known))}."


def _read_roles(path: Path) -> dict[str, dict]:
    found = {}
    for key, node in _pairs(path):
        value = yaml.SafeLoader("").construct_document(node)
        if not isinstance(value, dict):
            _fail(path, key, f"role “{key.value}” has no fields.", "Give label, audience and session_minutes.")
        for name in value:
            if name not in FIELDS:
                _fail(path, key, f"role “{key.value}” has the unknown field “{name}”.", _hint(str(name), FIELDS))
        for name in ("label", "audience", "session_minutes"):
            if name not in value:
                _fail(path, key, f"role “{key.value}” lacks “{name}”.", "Add the field.")
        if set(value["label"]) != {code for code, _label in settings.LANGUAGES}:
            _fail(path, key, f"role “{key.value}” needs a label in each language.", "Write label: {en: …, zh-hans: …}.")
        if value["audience"] not in {str(a) for a in Audience if a is not Audience.JOB}:
            _fail(
                path,
                key,
                f"role “{key.value}” has the unknown audience “{value['audience']}”.",
                _hint(value["audience"], Audience),
            )
        if value.get("second_factor", "optional") not in FactorPolicy.values:
            _fail(
                path,
                key,
                f"role “{key.value}” has the unknown second_factor “{value['second_factor']}”.",
                _hint(str(value["second_factor"]), FactorPolicy.values),
            )
        found[key.value] = value
    _check_gives(path, found)
    return found


def _check_gives(path: Path, found: dict[str, dict]) -> None:
    """Who hands out what: known roles, and no chain that reaches what its first giver may not give directly (R-176)."""
    keys = {key.value: key for key, _node in _pairs(path)}
    for name, value in found.items():
        for level, given in value.get("gives", {}).items():
            for other in given:
                if other not in found:
                    _fail(
                        path,
                        keys[name],
                        f"“{name}” gives the role “{other}”, which does not exist.",
                        _hint(other, found),
                    )
                for below, further in found[other].get("gives", {}).items():
                    if int(below) >= int(level) and (more := set(further) - set(given)):
                        _fail(
                            path,
                            keys[name],
                            f"“{name}” of level {level} gives “{other}”, who gives {', '.join(sorted(more))} at level {below}.",
                            "Let it give them itself, or let the other give less.",
                        )


def load(folder: Path, known: frozenset[str]) -> dict[str, Role]:
    """Read ``folder``; ``known`` are the declared permissions. Raises RolesError naming file, line and remedy."""
    declared = _read_roles(folder / "roles.yaml")
    held: dict[str, set[str]] = {name: set() for name in declared}
    for path in sorted(folder.glob("*.yaml")):
        if path.name == "roles.yaml":
            continue
        for key, node in _pairs(path):
            if key.value not in known:
                _fail(
                    path,
                    key,
                    f"the permission “{key.value}” does not exist.",
                    _hint(key.value, known) + " Or declare it in the room's permissions.py.",
                )
            if not isinstance(node, yaml.SequenceNode):
                _fail(path, key, f"“{key.value}” needs a list of roles.", "Write permission: [role, role].")
            for item in node.value:
                if item.value not in declared:
                    _fail(path, item, f"the role “{item.value}” does not exist.", _hint(item.value, declared))
                held[item.value].add(key.value)
    return {
        name: Role(
            name=name,
            audience=Audience(value["audience"]),
            labels=value["label"],
            session_minutes=int(value["session_minutes"]),
            second_factor=FactorPolicy(value.get("second_factor", "optional")),
            admin=bool(value.get("admin", False)),
            levels=tuple(value.get("levels", ())),
            permissions=frozenset(held[name]),
            gives={int(level): frozenset(given) for level, given in value.get("gives", {}).items()},
        )
        for name, value in declared.items()
    }


@cache
def all_roles() -> dict[str, Role]:
    """Every role by name, in the order of the file; read once a process."""
    return load(Path(settings.DATA) / "roles", every_permission())


def role(name: str) -> Role:
    """The role called ``name``; KeyError when the files no longer name it."""
    return all_roles()[name]
