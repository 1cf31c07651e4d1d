"""What can be wrong with a policy's text: file, line, what, remedy; in English and in Chinese (issue 4 §2)."""

from dataclasses import dataclass, field
from typing import Any

from .. import yamlfile
from .messages import MESSAGES


@dataclass(frozen=True)
class Problem(yamlfile.Problem):
    """One fault of a policy text. ``kind`` and ``values`` are what ``message`` and ``remedy`` were made from."""

    kind: str = ""
    values: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)

    @property
    def chinese(self) -> tuple[str, str]:
        """Message and remedy in Chinese."""
        message, remedy = MESSAGES[self.kind][2:4]
        return message.format(**self.values), remedy.format(**self.values)


def problem(file: str, line: int, kind: str, /, **values: Any) -> Problem:
    """A problem by its kind: a key of ``MESSAGES``; ``values`` fill the blanks of its words."""
    message, remedy = MESSAGES[kind][:2]
    return Problem(file, line, message.format(**values), remedy.format(**values), kind, values)


class PolicyErrors(Exception):
    """All the problems of one text, in the order of its lines."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.file, p.line, p.kind))
        super().__init__("\n".join(map(str, self.problems)))
