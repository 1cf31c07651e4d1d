"""Where processor time goes on the signal road: by process, and inside PostgreSQL by statement. Linux's /proc; microseconds a message."""

import os
import re
from collections import defaultdict
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def spent(roots: dict[str, int]) -> dict[str, float]:
    """Stage → seconds of processor time of the process ``roots[stage]`` and its children; a server's children by what they do."""
    children = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(entry)):
            children[int(fields[1])].append(entry)
    made: dict[str, float] = defaultdict(float)
    for stage, pid in roots.items():
        root = Path(f"/proc/{pid}")
        fields = _stat(root)
        if not fields:
            continue
        made[stage] += _seconds(fields[11:13])
        if children[pid]:
            made[f"{stage}, others"] += _seconds(fields[13:15])  # of children that are gone
        for child in children[pid]:
            if fields := _stat(child):
                made[f"{stage}, {_name(child)}"] += _seconds(fields[11:13])
    return dict(made)


def _stat(folder: Path) -> list[str]:
    """Fields of ``stat`` from the state on; [] when the process is gone."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _seconds(ticks: list[str]) -> float:
    return sum(map(int, ticks)) / TICK


def _name(folder: Path) -> str:
    """``postgres: walwriter`` → walwriter; connections together."""
    try:
        said = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "others"
    words = re.sub(r"^postgres: *", "", said)
    return (
        words
        if words in ("walwriter", "checkpointer", "background writer")
        else "connections"
        if "sangyu" in words
        else "others"
    )


def shares(before: dict[str, float], after: dict[str, float], messages: int) -> str:
    """A line: microseconds a message of every stage that took any, and their sum."""
    made = {stage: (after[stage] - before.get(stage, 0)) / max(1, messages) * 1e6 for stage in after}
    told = [f"{stage} {value:.0f}" for stage, value in made.items() if value >= 0.5]
    return f"    µs of processor a message: {', '.join(told)}; together {sum(made.values()):.0f}"


STATEMENTS = """
SELECT round((total_exec_time * 1000 / %s)::numeric, 1), calls, round((rows / calls::numeric), 0), regexp_replace(left(query, 90), '\\s+', ' ', 'g')
  FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY total_exec_time DESC LIMIT 14
"""
