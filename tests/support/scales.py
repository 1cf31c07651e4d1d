"""The shipped scales, and answers that reach a wanted total."""

from functools import cache

from django.conf import settings

from sangyu.engines.assessment import Instrument, read

CODES = ("gbt-42195-2022", "mzt-039-2013", "ltci-2021")


@cache
def scale(code: str) -> Instrument:
    path = settings.DATA / "instruments" / f"{code}.yaml"
    return read(path.read_text(encoding="utf-8"), file=path.name)


def full(instrument: Instrument, part: str = "") -> dict[str, str]:
    """The highest option of every item (of ``part``)."""
    return {
        i.code: max(i.options, key=lambda o: o.score).value
        for p in instrument.parts
        for i in p.items
        if part in ("", p.code)
    }


def answers_for(instrument: Instrument, total: int, part: str = "", *, avoid: frozenset[str] = frozenset({"coma"})):
    """Answers whose scores add up to ``total`` over the items (of ``part``); raises LookupError when none do."""
    items = [i for p in instrument.parts if part in ("", p.code) for i in p.items]

    def fill(n: int, left: int) -> dict[str, str] | None:
        if n == len(items):
            return {} if left == 0 else None
        for option in sorted(items[n].options, key=lambda o: -o.score):
            if (
                option.score <= left
                and option.flag not in avoid
                and left - option.score <= sum(i.most for i in items[n + 1 :])
            ):
                rest = fill(n + 1, left - option.score)
                if rest is not None:
                    return {items[n].code: option.value, **rest}
        return None

    found = fill(0, total)
    if found is None:
        raise LookupError(f"{total} cannot be reached")
    return found
