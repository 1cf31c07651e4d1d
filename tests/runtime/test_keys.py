"""keys.json: made once, private, never replaced (design rule 8)."""

import json

import pytest

from sangyu.runtime import keys
from sangyu.runtime.engines.process import EngineError


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for variable in keys.VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)


def test_first_start_makes_private_keys_and_the_second_reads_the_same(home):
    first = keys.load(home / "new", create=True)
    file = home / "new/keys.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(first) == {"secret_key", "keys", "index_key", "nats_token"}
    assert [len(key) for key in first["keys"].values()] == [64]
    assert keys.load(home / "new", create=True) == first == json.loads(file.read_text())
    assert [p.name for p in (home / "new").iterdir()] == ["keys.json"]


def test_environment_wins(home, monkeypatch):
    monkeypatch.setenv("SANGYU_KEYS", f"1:{'a' * 64},2:{'b' * 64}")
    monkeypatch.setenv("SANGYU_NATS_TOKEN", "t")
    found = keys.load(home, create=True)
    assert (found["keys"], found["nats_token"]) == ({"1": "a" * 64, "2": "b" * 64}, "t")


def test_production_names_what_is_missing_and_makes_nothing(home, monkeypatch):
    monkeypatch.setenv("SANGYU_SECRET_KEY", "s")
    with pytest.raises(EngineError, match=r"Keys are missing: SANGYU_KEYS, SANGYU_INDEX_KEY, SANGYU_NATS_TOKEN\."):
        keys.load(home, create=False)
    assert list(home.iterdir()) == []


def test_a_readable_or_damaged_file_is_refused(home):
    keys.load(home, create=True)
    (home / "keys.json").chmod(0o644)
    with pytest.raises(EngineError, match="can be read by others"):
        keys.load(home, create=True)
    (home / "keys.json").chmod(0o600)
    (home / "keys.json").write_text("{")
    with pytest.raises(EngineError, match="is damaged"):
        keys.load(home, create=True)


def test_no_new_keys_for_an_old_database(home):
    (home / "postgres/data").mkdir(parents=True)
    (home / "postgres/data/PG_VERSION").write_text("18\n")
    with pytest.raises(EngineError, match="could never be read again"):
        keys.load(home, create=True)
    assert not (home / "keys.json").exists()


@pytest.mark.parametrize("text", ["abc", "1:abc", f"x:{'a' * 64}"])
def test_a_malformed_ring_is_refused(home, monkeypatch, text):
    monkeypatch.setenv("SANGYU_KEYS", text)
    with pytest.raises(EngineError, match="SANGYU_KEYS is not a list of keys"):
        keys.load(home, create=True)
