"""Rules as YAML, whatever they rule: mappings and lists that know their lines, checks that collect problems with file, line and remedy (design rule 3)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import yaml


@dataclass(frozen=True)
class Problem:
    """One mistake in ``file`` at ``line`` (from 1; 0 = the whole file)."""

    file: str
    line: int
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} {self.remedy}"


class FileErrors(ValueError):
    """The file cannot be used. ``problems`` holds all that was found, in the order of the lines."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: p.line)
        super().__init__("\n".join(str(p) for p in self.problems))


class Node(dict):
    """A mapping of the file. ``line`` is its first line, ``lines`` those of its keys."""

    line: int = 0
    lines: dict[str, int]


class _Loader(yaml.SafeLoader):
    """Plain values; keys as text; every mapping knows its lines."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Node:
    made = Node()
    made.line, made.lines = node.start_mark.line + 1, {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        if key in made:
            raise yaml.constructor.ConstructorError(None, None, f"the key “{key}” stands twice", key_node.start_mark)
        made[key] = loader.construct_object(value_node, deep=True)
        made.lines[key] = key_node.start_mark.line + 1
    return made


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


class Source:
    """One file being read; collects problems."""

    def __init__(self, text: str, file: str) -> None:
        self.file, self.problems = file, []
        try:
            root = yaml.load(text, _Loader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            problem = Problem(
                file, line, f"This is no YAML: {error.problem}.", "Correct the indentation or the quotes."
            )
            raise FileErrors([problem]) from None
        if not isinstance(root, Node):
            raise FileErrors([Problem(file, 1, "The file is empty or a list.", "Begin with “code:”.")])
        self.root = root

    def say(self, line: int, message: str, remedy: str) -> None:
        self.problems.append(Problem(self.file, line, message, remedy))

    def finish(self) -> None:
        """Raise FileErrors when something was said."""
        if self.problems:
            raise FileErrors(self.problems)

    # -- parts of a mapping
    def keys(self, node: Node, required: Iterable[str], optional: Iterable[str] = ()) -> None:
        """Say which required keys are missing and which are unknown."""
        required, optional = set(required), set(optional)
        for key in sorted(required - set(node)):
            self.say(node.line, f"“{key}” is missing.", f"Add “{key}: …” here.")
        for key in sorted(set(node) - required - optional):
            known = ", ".join(sorted(required | optional))
            self.say(node.lines[key], f"“{key}” is not known here.", f"Use one of: {known}.")

    def text(self, node: Node, key: str, default: str = "") -> str:
        value = node.get(key, default)
        if isinstance(value, (dict, list)) or value is None:
            self.say(node.lines.get(key, node.line), f"“{key}” must be text.", f"Write “{key}: words”.")
            return default
        return str(value)

    def number(self, node: Node, key: str, default: int = 0) -> int:
        value = node.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            self.say(node.lines.get(key, node.line), f"“{key}” must be a whole number.", f"Write “{key}: 4”.")
            return default
        return value

    def day(self, node: Node, key: str) -> date | None:
        value = node.get(key)
        if value is None or (isinstance(value, date) and not hasattr(value, "hour")):
            return value
        self.say(node.lines.get(key, node.line), f"“{key}” must be a day.", f"Write “{key}: 2026-01-31”.")
        return None

    def nodes(self, node: Node, key: str, *, required: bool = True) -> list[Node]:
        """A list of mappings under ``key``."""
        value = node.get(key, [])
        if not isinstance(value, list) or any(not isinstance(v, Node) for v in value) or (required and not value):
            self.say(node.lines.get(key, node.line), f"“{key}” must be a list of entries.", "Begin each with “- ”.")
            return []
        return value

    def numbers(self, node: Node, key: str) -> list[int]:
        value = node.get(key, [])
        if not isinstance(value, list) or not value or any(type(v) is not int for v in value):
            self.say(node.lines.get(key, node.line), f"“{key}” must be whole numbers.", f"Write “{key}: [1, 2]”.")
            return []
        return value

    def words(self, node: Node, key: str) -> list[str]:
        value = node.get(key, [])
        if not isinstance(value, list) or any(isinstance(v, (dict, list)) for v in value):
            self.say(node.lines.get(key, node.line), f"“{key}” must be a list of words.", f"Write “{key}: [a, b]”.")
            return []
        return [str(v) for v in value]

    def one_of(self, node: Node, key: str, choices: Iterable[str], default: str = "") -> str:
        value, choices = self.text(node, key, default), list(choices)
        if value not in choices:
            self.say(node.lines.get(key, node.line), f"“{key}: {value}” is not known.", f"Use {', '.join(choices)}.")
        return value

    def code(self, node: Node, key: str, taken: set[str], pattern: str = r"[A-Za-z][A-Za-z0-9_.-]*") -> str:
        """A code that nothing else in ``taken`` has; adds it."""
        value = self.text(node, key)
        if key in node and not re.fullmatch(pattern, value):
            self.say(node.lines[key], f"“{value}” is no code.", "Use Latin letters, digits, dots and dashes.")
        if value in taken:
            self.say(
                node.lines.get(key, node.line), f"The code “{value}” stands twice.", "Give one of the two another."
            )
        taken.add(value)
        return value
