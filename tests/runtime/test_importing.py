"""``sangyu import``: exit codes, rejected rows beside the file, Ctrl-C, who may (R-026)."""

from datetime import date

import pytest
from rich.console import Console

from sangyu.kernel.importing.models import ImportBatch
from sangyu.registry.accounts.models import Account, Grant
from sangyu.registry.people.models import Person
from sangyu.runtime import importing
from sangyu.runtime.engines.process import EngineError

pytestmark = pytest.mark.django_db
KIND = "people.roster"


@pytest.fixture
def roster(tmp_path, settings, regions):
    """A file with one good and one bad row; the bureau's account "officer", and "worker" who may not import."""
    settings.MEDIA_ROOT = tmp_path / "media"
    for name, role, audience in (("officer", "bureau", "staff"), ("inspector", "inspector", "staff")):
        account = Account.objects.create(username=name, name=name, must_change_password=False)
        Grant.objects.create(
            account=account, role=role, audience=audience, region=regions["a"], path=regions["a"].path, valid_from=date(2020, 1, 1)
        )  # fmt: skip
    file = tmp_path / "花名册.csv"
    file.write_text("姓名,性别,出生日期,社区\n张桂兰,女,1945.6.12,清华社区\n李四,男,1941.2.30,清华社区\n")
    return file


@pytest.fixture
def call(roster, capsys):
    def run(username="officer", **more):
        given = {"source": "", "settings": {}, "dry_run": False, **more}
        code = importing.run(Console(width=200), more.pop("kind", KIND), roster, username=username, **given)
        return code, capsys.readouterr().out

    return run


def test_rejected_rows_lie_beside_the_file(call, roster):
    code, said = call(source="社区")
    assert (code, Person.objects.get().source) == (2, "社区，第2行")
    assert "new 1" in said
    assert roster.with_name("花名册.rejected.xlsx").stat().st_size > 1000


def test_a_dry_run_writes_nothing(call):
    code, said = call(dry_run=True)
    assert code == 2
    assert "Would import: rows 2, new 1, changed 0, unchanged 0, held 0, rejected 1" in said
    assert Person.objects.count() == ImportBatch.objects.count() == 0


def test_the_second_time_everybody_is_known(call):
    call()
    code, said = call(settings={"mode": "update"})
    assert code == 2
    assert Person.objects.count() == 1
    assert "new 0" in said


def test_control_c_leaves_nothing(call, monkeypatch):
    def stop(self, n=1):
        raise KeyboardInterrupt

    monkeypatch.setattr(importing.Bar, "advance", stop)
    code, said = call()
    assert (code, Person.objects.count(), ImportBatch.objects.count()) == (1, 0, 0)
    assert "Nothing has been written" in said


@pytest.mark.parametrize("username", ["nobody", "inspector"])
def test_who_may_not_import_is_told(call, username):
    with pytest.raises(EngineError):
        call(username)
    assert Person.objects.count() == 0


def test_an_unknown_import_names_the_known(roster):
    with pytest.raises(EngineError, match=r"people\.roster"):
        importing.run(Console(), "nonsense", roster, username="officer", source="", settings={}, dry_run=False)
