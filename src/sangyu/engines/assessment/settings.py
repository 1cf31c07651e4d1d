"""Which setting of care a result recommends (R-032): ordered rules over the level and facts of the person; the first that holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..yamlfile import Node, Source
from .instrument import MARKS

SETTINGS = ("home", "community", "institution", "nursing")


@dataclass(frozen=True)
class SettingRule:
    """``when``: name of a fact ("level", "living", "dementia" …) → values; all must hold."""

    code: str
    setting: str
    text: str
    mark: str
    when: dict[str, tuple[str, ...]]

    def holds(self, facts: Mapping[str, str]) -> bool:
        return all(str(facts.get(name, "")) in values for name, values in self.when.items())


def read(text: str, *, file: str) -> list[SettingRule]:
    """The rules of one file; the last must hold for everybody. Raises FileErrors."""
    s, made = Source(text, file), []
    s.keys(s.root, ("rules",), ("about",))
    codes: set[str] = set()
    for node in s.nodes(s.root, "rules"):
        s.keys(node, ("code", "setting", "text", "mark"), ("when",))
        when = node.get("when", Node())
        if not isinstance(when, Node):
            s.say(node.lines["when"], "“when” must be a mapping.", "Write “when: {level: [3, 4]}”.")
            when = Node()
        made.append(
            SettingRule(
                s.code(node, "code", codes), s.one_of(node, "setting", SETTINGS), s.text(node, "text"),
                s.one_of(node, "mark", MARKS), {name: tuple(s.words(when, name)) for name in when},
            )
        )  # fmt: skip
    if not made or made[-1].when:
        s.say(s.root.line, "Somebody would get no recommendation.", "Let the last rule have no “when”.")
    s.finish()
    return made


def recommend(rules: list[SettingRule], facts: Mapping[str, str]) -> SettingRule:
    """The first rule that holds for ``facts`` (level as text, living, dementia, …)."""
    return next(r for r in rules if r.holds(facts))
