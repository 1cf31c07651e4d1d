"""What must never be committed, and the import contracts' own proof. Needs no database; part of ``make check``."""

import re
import subprocess
from pathlib import Path

import grimp
import pytest

from support.contracts import DoorsContract

ROOT = Path(__file__).resolve().parents[2]
#: Hosts of package registries, written so that this file does not name them.
HOSTS = re.compile(
    "|".join(
        [
            r"py" + r"pi\.org",
            r"python" + r"hosted\.org",
            r"npm" + r"js\.(org|com)",
            r"npm" + r"mirror",
            r"deb\.deb" + "ian",
            r"--index" + "-url",
            r"--extra-index" + "-url",
        ]
    )
)
#: Folders of one machine or one person.
MACHINE = re.compile(r"(?<![\w.@/-])/(work|home|root|Users|opt|mnt)/[\w.-]+")
#: Files of other formats, and of third parties by licence.
SKIPPED = {".xlsx", ".gz", ".png", ".pdf", ".woff2", ".ttf", ".zip"}
FORBIDDEN_FOLDERS = ("node_modules/", "src/sangyu/ui/static/vendor/", ".venv/")
#: path → reason. A line that no longer finds anything fails, so that the list stays true.
ALLOWED: dict[str, str] = {}


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def findings(name: str, text: str) -> list[str]:
    return [
        f"{name}:{n}: {line.strip()[:100]}"
        for n, line in enumerate(text.splitlines(), 1)
        if HOSTS.search(line) or MACHINE.search(line)
    ]


def test_no_registry_host_and_no_machine_path():
    found: dict[str, list[str]] = {}
    for name in tracked():
        if Path(name).suffix not in SKIPPED and (lines := findings(name, (ROOT / name).read_text(errors="replace"))):
            found[name] = lines
    assert {name: lines for name, lines in found.items() if name not in ALLOWED} == {}
    assert set(ALLOWED) <= set(found), "an exception is not needed any more"


@pytest.mark.parametrize("line", ["see files.python" + "hosted.org", "cd /ho" + "me/me/x", '"/wo' + 'rk/main"'])
def test_the_guard_finds_what_it_looks_for(line):
    assert findings("x", line)


@pytest.mark.parametrize("line", ["/usr/bin/chromium", "https://example.org/home/page", "a/work/b", "/var/lib/sangyu"])
def test_the_guard_lets_ordinary_lines_pass(line):
    assert findings("x", line) == []


def test_no_third_party_source_is_committed():
    assert [name for name in tracked() if name.startswith(FORBIDDEN_FOLDERS)] == []


def test_locks_carry_hashes_and_no_address():
    for file in (ROOT / "requirements").glob("*.txt"):
        packages = [line for line in file.read_text().splitlines() if line and not line.startswith((" ", "#"))]
        assert packages, file
        assert all("==" in line for line in packages), file
        assert file.read_text().count("--hash=sha256:") >= len(packages), file
    lock = ROOT / "package-lock.json"
    assert not lock.exists() or '"resolved"' not in lock.read_text()


def contract(**kwargs) -> DoorsContract:
    options = {"floors": ["s.care"], "doors": ["services", "enums"], **kwargs}
    return DoorsContract(name="doors", session_options={}, contract_options=options)


@pytest.mark.parametrize(
    ("importer", "imported", "kept"),
    [
        ("s.care.orders.pages", "s.care.vouchers.services", True),
        ("s.care.orders.pages", "s.care.vouchers.services.issue", True),
        ("s.care.orders.pages", "s.care.orders.models", True),
        ("s.care.orders.pages", "s.care.vouchers.models", False),
        ("s.care.orders.pages", "s.care.vouchers", False),
        ("s.runtime.urls", "s.care.vouchers.urls", True),
    ],
)
def test_the_doors_contract_breaks_where_it_should(importer, imported, kept):
    graph = grimp.ImportGraph()
    graph.add_module(importer)
    graph.add_module(imported)
    graph.add_import(importer=importer, imported=imported)
    assert contract().check(graph, verbose=False).kept is kept
    assert contract(exceptions=[f"{importer} -> {imported}"]).check(graph, verbose=False).kept is not kept
