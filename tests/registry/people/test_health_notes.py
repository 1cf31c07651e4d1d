"""Conditions, allergies and medicines: recorded with consent, sealed, seen by few, told to whoever helps (R-015, ux.md §6A)."""

import io
from datetime import date

import pytest
import xlsxwriter
from django.db import connection

from sangyu.care.emergencies import selectors as emergencies
from sangyu.care.emergencies import services as alarms
from sangyu.kernel.errors import Forbidden, Invalid, Refused
from sangyu.kernel.importing import at_once, work
from sangyu.kernel.importing.models import ImportProblem
from sangyu.kernel.models import DataRead
from sangyu.kernel.scoping import scope
from sangyu.registry.people import selectors, services
from sangyu.registry.people.models import HealthNote
from support.emergencies import JOB, NOW, alarm, operator
from support.pages import client_for

SEES = {"people.view", "people.health", "people.health_record", "emergencies.view", "orders.request"}


@pytest.fixture
def elder(enter, id_number):
    return enter(id_number=id_number())


@pytest.fixture
def consent(staff, elder, today):
    return services.give_consent(
        actor=staff("city"), person_id=elder.pk, purpose="health_data", version="2026-1", given_on=today, today=today
    )


@pytest.fixture
def clerk(regions):
    return operator(regions["a"], permissions=SEES)


def note(actor, elder, kind="allergy", words="青霉素", **more):
    return services.note_health(
        actor=actor, person_id=elder.pk, kind=kind, words=words, today=date(2026, 11, 21), **more
    )


def lines(actor, elder, today):
    with scope(actor):
        return [
            (kind, words) for kind, words, _grave in selectors.health_lines(selectors.health_of(actor, elder.pk, today))
        ]


def test_what_is_recorded_is_sealed_stands_by_kind_and_ends(clerk, elder, consent, today):
    note(clerk, elder, "medicine", "氨氯地平  5mg")
    penicillin = note(clerk, elder, since=date(2001, 5, 1))
    note(clerk, elder, "condition", "高血压")
    note(clerk, elder, "condition", "糖尿病")
    assert lines(clerk, elder, today) == [("病史", "高血压、糖尿病"), ("过敏", "青霉素"), ("用药", "氨氯地平 5mg")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM people_healthnote WHERE words::text LIKE '%%青霉素%%'")
        assert cursor.fetchone() == (0,)
    services.end_health_note(actor=clerk, note_id=penicillin.pk, until=today, today=today)
    assert [kind for kind, _words in lines(clerk, elder, today)] == ["病史", "用药"]
    with pytest.raises(Refused) as again:
        services.end_health_note(actor=clerk, note_id=penicillin.pk, today=today)
    assert again.value.code == "people.health_ended"


def test_nothing_is_recorded_or_shown_without_consent_permission_or_sense(clerk, staff, elder, today):
    with pytest.raises(Refused) as refused:
        note(clerk, elder)
    assert refused.value.code == "people.health_consent"
    held = services.give_consent(
        actor=staff("city"), person_id=elder.pk, purpose="health_data", version="2026-1", given_on=today, today=today
    )
    note(clerk, elder)
    for wrong in ({"kind": "mood"}, {"words": " "}, {"words": "长" * 101}, {"since": date(2027, 1, 1)}):
        with pytest.raises(Invalid):
            note(clerk, elder, **wrong)
    with pytest.raises(Refused) as known:
        note(clerk, elder)
    assert known.value.code == "people.health_known"
    stranger = staff("a", role="finance", permissions={"people.view"})
    with pytest.raises(Forbidden):
        note(stranger, elder, words="花粉")
    assert HealthNote.objects.count() == 1
    assert lines(stranger, elder, today) == lines(staff("b"), elder, today) == []
    assert lines(clerk, elder, today) == [("过敏", "青霉素")]
    services.withdraw_consent(actor=staff("city"), consent_id=held.pk, withdrawn_on=today, today=today)
    assert lines(clerk, elder, today) == []


def test_the_desk_the_hand_over_and_the_file_tell_it(clerk, staff, elder, consent):
    note(clerk, elder)
    (case,) = alarms.alarms([alarm(elder)], actor=JOB, now=NOW)
    assert "过敏：青霉素" in emergencies.handover_text(clerk, case)
    blind = staff("a", role="inspector", permissions={"people.view", "emergencies.view"})
    assert "青霉素" not in emergencies.handover_text(blind, case)
    client = client_for(clerk)
    for address in (f"/casefile/{elder.pk}/basic/", f"/desk/?person={elder.pk}"):
        assert "青霉素" in client.get(address).content.decode(), address
    assert DataRead.objects.filter(what="health", row_id=elder.pk).count() == 2
    assert "青霉素" not in client_for(blind).get(f"/casefile/{elder.pk}/basic/").content.decode()
    page = client.post(
        f"/people/{elder.pk}/health/new/", {"kind": "condition", "words": "冠心病", "since": "2020-01-01"}
    )
    assert page["Location"] == f"/casefile/{elder.pk}/basic/"
    made = HealthNote.objects.latest("pk")
    assert (made.words, made.since) == ("冠心病", date(2020, 1, 1))
    assert client.post(f"/people/health/{made.pk}/end/", {"until": made.recorded_at.date()}).status_code == 303


def test_a_list_adds_what_is_new_and_refuses_who_has_not_agreed(
    clerk, enter, elder, consent, id_number, today, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    enter("李四", id_number=id_number(sequence="994"))
    note(clerk, elder)
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet()
    for n, row in enumerate(
        (
            ("姓名", "身份证号", "病史", "过敏史", "长期用药"),
            (elder.name, id_number(), "高血压、糖尿病", "青霉素", "无"),
            ("李四", id_number(sequence="994"), "冠心病", "", ""),
        )
    ):
        sheet.write_row(n, 0, row)
    book.close()
    file.seek(0)
    file.name = "健康情况.xlsx"
    at_once.run(work.Silent(), actor=clerk, kind="people.health", file=file, today=today)
    assert lines(clerk, elder, today) == [("病史", "高血压、糖尿病"), ("过敏", "青霉素")]
    assert HealthNote.objects.count() == 3
    assert list(ImportProblem.objects.values_list("row", "code")) == [(3, "consent")]
