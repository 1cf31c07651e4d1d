"""R-039: draft → approved by another person on a document → in force by dates → ended; what was approved never changes."""

from dataclasses import replace
from datetime import date

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db.utils import DatabaseError

from sangyu.care.policies import selectors, services
from sangyu.care.policies.enums import Standing, State
from sangyu.care.policies.models import PolicyVersion
from sangyu.kernel.errors import Forbidden, Invalid, NotVisible, Refused
from sangyu.kernel.scoping import scope
from support.policies import ADVANCED_AGE, HOME_CARE

pytestmark = pytest.mark.django_db


def test_the_text_gives_the_columns(author, document):
    """R-039: what the row repeats comes from the text; the document is found in the library by its number (R-171)."""
    made = services.draft(actor=author, text=HOME_CARE)
    assert (made.code, made.number, made.name, made.subject, made.period) == (
        "home-care", 1, "居家养老服务补贴", "person", "month",
    )  # fmt: skip
    assert (made.valid_from, made.valid_to, made.path, made.clause) == (date(2026, 2, 1), None, author.path, "第五条")
    assert made.document_id == document.pk
    with scope(author):
        assert selectors.policy_of(made).digest == made.digest


def test_a_text_with_problems_is_not_stored(author):
    with pytest.raises(Invalid) as said:
        services.draft(actor=author, text=HOME_CARE.replace("年龄 >= 60", "年零 >= 60"))
    assert said.value.code == "policies.text"
    with scope(author):
        assert PolicyVersion.objects.count() == 0


def test_four_eyes_and_a_document(author, chief, document):
    """R-039, X-03: not the author, not without the document; refusals leave a draft."""
    made = services.draft(actor=author, text=HOME_CARE)
    bare = services.draft(actor=author, text=ADVANCED_AGE.replace("营民发〔2026〕3号", "无此文〔2026〕9号"))
    for actor, version, code in ((author, made, "policies.own"), (chief, bare, "policies.document")):
        with pytest.raises(Refused) as said:
            services.approve(actor=actor, version_id=version.pk)
        assert said.value.code == code
    with pytest.raises(Forbidden):
        services.approve(actor=replace(chief, permissions=frozenset({"policies.edit"})), version_id=made.pk)
    with scope(author):
        assert set(PolicyVersion.objects.values_list("state", flat=True)) == {State.DRAFT}
    done = services.approve(actor=chief, version_id=made.pk)
    assert (done.state, done.approved_by, done.approver_id) == (State.APPROVED, "科长", 12)
    # whoever writes a draft anew becomes its author
    services.change_draft(actor=chief, version_id=bare.pk, text=bare.text.replace("100元", "120元"))
    with pytest.raises(Refused):
        services.approve(actor=chief, version_id=bare.pk, document_id=document.pk)
    assert services.approve(actor=author, version_id=bare.pk, document_id=document.pk).state == State.APPROVED


@pytest.mark.parametrize(
    "change", [{"text": "x", "digest": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"},
               {"valid_from": date(2026, 1, 1)}, {"approver_id": 99}, {"state": "draft"}],
)  # fmt: skip
def test_the_database_keeps_what_was_approved(author, approved, change):
    """R-039: no code path changes it; the database says no."""
    made = approved()
    with scope(author), pytest.raises(DatabaseError, match="stays as it is"), transaction.atomic():
        PolicyVersion.objects.filter(pk=made.pk).update(**change)
    with scope(author), pytest.raises(DatabaseError, match="stays"), transaction.atomic():
        PolicyVersion.objects.filter(pk=made.pk).delete()
    with scope(author), pytest.raises(IntegrityError, match="digest"), transaction.atomic():
        PolicyVersion.objects.create(
            **{f: getattr(made, f) for f in ("code", "name", "subject", "period", "text", "region", "path", "valid_from")},
            number=9, digest="0" * 64, author="x",
        )  # fmt: skip


def test_the_next_version_ends_the_one_before(author, chief, approved):
    """R-039, R-058: old cases by the old rule, new ones by the new; versions of one region never overlap."""
    old = approved()
    text = HOME_CARE.replace("2026-02-01", "2027-01-01").replace("600元", "720元")
    new = services.draft(actor=author, text=text, based_on=old.pk)
    services.approve(actor=chief, version_id=new.pk)
    with scope(author):
        old.refresh_from_db()
        assert (old.valid_to, old.last_day, new.number) == (date(2027, 1, 1), date(2026, 12, 31), 2)
        assert [v.pk for v in selectors.in_force(author.path, date(2026, 12, 31))] == [old.pk]
        assert [v.pk for v in selectors.due_in(author.path, date(2027, 1, 1))] == [new.pk]
        assert selectors.policy_of(old).valid_to == date(2026, 12, 31)
        assert old.standing_on(date(2026, 1, 1)) == Standing.FUTURE
        assert old.standing_on(date(2027, 1, 1)) == Standing.ENDED
    earlier = services.draft(actor=author, text=HOME_CARE.replace("2026-02-01", "2026-06-01").replace("200元", "210元"))
    with pytest.raises(Refused) as said:
        services.approve(actor=chief, version_id=earlier.pk)
    assert said.value.code == "policies.overlap"
    with scope(author):
        old.refresh_from_db()
        assert old.valid_to == date(2027, 1, 1)


def test_end_and_discard(author, chief, approved):
    made = approved()
    ended = services.end(actor=chief, version_id=made.pk, day=date(2026, 12, 1))
    assert ended.last_day == date(2026, 11, 30)
    with pytest.raises(Refused):
        services.end(actor=chief, version_id=made.pk, day=date(2026, 12, 1))
    draft = services.draft(actor=author, text=ADVANCED_AGE)
    with pytest.raises(Refused):
        services.discard(actor=author, version_id=made.pk)
    assert services.discard(actor=author, version_id=draft.pk).state == State.DISCARDED
    with pytest.raises(Refused):
        services.change_draft(actor=author, version_id=draft.pk, text=ADVANCED_AGE)


def test_published_downwards_once_approved(author, chief, staff, approved):
    """R-039: a county reads what is approved above it, not what is being prepared; it changes neither."""
    made, county = approved(), replace(staff("a"), account_id=31)
    draft = services.draft(actor=author, text=ADVANCED_AGE)
    with scope(county):
        assert [v.pk for v in selectors.versions(county)] == [made.pk]
        assert list(PolicyVersion.objects.values_list("pk", flat=True)) == [made.pk]
    with pytest.raises(NotVisible):
        services.discard(actor=county, version_id=draft.pk)
    with pytest.raises(Refused) as said:
        services.end(actor=county, version_id=made.pk, day=date(2026, 12, 1))
    assert said.value.code == "scope.above"
    with pytest.raises(Refused):
        services.draft(actor=county, text=HOME_CARE)


def test_a_county_of_its_own_rule_is_another_area(author, chief, staff, approved, regions):
    """R-039: two counties with different amounts side by side."""
    city = approved()
    own = services.draft(actor=author, text=HOME_CARE.replace('"2108"', '"210802"').replace("200元", "250元"))
    services.approve(actor=chief, version_id=own.pk)
    with scope(author):
        found = selectors.areas(author.path, selectors.due_in(author.path, date(2026, 5, 1)))
        assert [(a.prefix, a.without, [v.pk for v in a.versions]) for a in found] == [
            (author.path, (regions["a"].path,), [city.pk]), (regions["a"].path, (), [own.pk]),
        ]  # fmt: skip
        assert selectors.applicable(regions["a_one"].path, "home-care", date(2026, 5, 1)).pk == own.pk
        assert selectors.applicable(regions["b_one"].path, "home-care", date(2026, 5, 1)).pk == city.pk


def test_files_come_in_once(author):
    files = [("a.yaml", HOME_CARE), ("b.yaml", ADVANCED_AGE)]
    assert services.load(actor=author, files=files) == (2, 0)
    assert services.load(actor=author, files=files) == (0, 2)
    with pytest.raises(Invalid) as said:
        services.load(actor=author, files=[("c.yaml", HOME_CARE + "x: 1\n"), ("d.yaml", ADVANCED_AGE + "\n")])
    assert said.value.errors["file"][0].startswith("c.yaml:20:")
    with scope(author):
        assert PolicyVersion.objects.count() == 2


def test_what_ships_is_understood(author, chief, document, tmp_path):
    """R-040 … R-061: every shipped text reads with the words that the database has; a folder comes in as drafts by command."""
    folder = settings.DATA / "policies"
    shipped = [f for f in sorted(folder.rglob("*.yaml")) if f.name != "demo.yaml"]
    wrong = {f.name: services.check(f.read_text(encoding="utf-8"), f.name)[1] for f in shipped}
    assert len(shipped) >= 15
    assert {name: problems for name, problems in wrong.items() if problems} == {}
    call_command("load_policies", folder / "2108", region="2108")
    with scope(author):
        drafts = list(PolicyVersion.objects.values_list("state", "author", "path"))
    assert drafts == [("draft", "load_policies", author.path)]
    (tmp_path / "bad.yaml").write_text("code: x\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"bad.yaml:1:"):
        call_command("load_policies", tmp_path / "bad.yaml")
