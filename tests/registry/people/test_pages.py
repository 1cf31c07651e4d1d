"""The pages of the register: every address answers, acts act, numbers stay masked until they are asked for."""

from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.urls import resolve, reverse

from sangyu.kernel import operations
from sangyu.kernel.importing.models import ImportBatch
from sangyu.kernel.models import DataRead
from sangyu.registry.people import finding, services
from sangyu.registry.people.models import Consent, Contact, GuardedNote, Person, PersonFact

pytestmark = pytest.mark.django_db


@pytest.fixture
def browse(staff, client):
    """Call a page as staff of county a, through its view, without the sign-in screens."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.messages.storage.fallback import FallbackStorage
    from django_htmx.middleware import HtmxDetails

    sessions = import_module(settings.SESSION_ENGINE).SessionStore

    def call(name, *args, data=None, actor=None, query=""):
        url = reverse(f"people:{name}", args=args) + query
        request = RequestFactory().get(url) if data is None else RequestFactory().post(url, data)
        request.actor = actor or replace(staff("a"), account_id=7)
        request.session = sessions()
        request.htmx = HtmxDetails(request)
        request._messages = FallbackStorage(request)
        request._dont_enforce_csrf_checks = True
        request.resolver_match = resolve(url.partition("?")[0])
        return request.resolver_match.func(request, *request.resolver_match.args, **request.resolver_match.kwargs)

    return call


def text(response):
    assert response.status_code == 200, response.content.decode()[:2000]
    return response.content.decode()


def test_a_search_that_stops_at_its_limit_says_so(browse, enter, monkeypatch):
    enter()
    assert "仅列出前" not in text(browse("list", query="?q=zgl"))
    monkeypatch.setattr(finding, "MOST", 1)
    assert "匹配过多，仅列出前 1 位，请补充检索内容" in text(browse("list", query="?q=zgl"))


def test_the_list_masks_numbers_and_filters(browse, enter, id_number):
    person = enter(id_number=id_number(), phone="13804170000", address="清华路12号")
    enter(name="李国强", sex="1", region="b_one")
    page = text(browse("list"))
    assert "张桂兰" in page
    assert "李国强" not in page
    assert "210802********" in page
    assert id_number() not in page
    assert "138****0000" in page
    for query in ("?q=zgl", "?q=0000", "?tag=very_old", "?age_from=80", "?sex=2", "?completeness_below=90"):
        assert "张桂兰" in text(browse("list", query=query)), query
    for query in ("?q=lgq", "?tag=alone", "?age_to=70", "?sex=1", "?care_level=2", "?alive=0"):
        assert "张桂兰" not in text(browse("list", query=query)), query
    assert reverse("people:detail", args=[person.pk]) in page


def test_every_page_of_a_file_answers(browse, enter, staff):
    person = enter()
    contact = services.add_contact(
        actor=staff("a"), person_id=person.pk, name="李梅", relation="3", phone="13904170002"
    )
    fact = services.record_fact(
        actor=staff("a"), person_id=person.pk, kind="living", value="alone", valid_from=person.birth_date, source="x"
    )
    for name in (
        "detail", "detail-status", "detail-contacts", "detail-consents", "detail-history", "edit", "fact_new",
        "contact_new", "household", "consent_new", "family_access", "notes", "note_new",
    ):  # fmt: skip
        text(browse(name, person.pk))
    for name, pk in (("contact_edit", contact.pk), ("contact_remove", contact.pk), ("fact_end", fact.pk)):
        text(browse(name, pk))
    for name in ("new", "import"):
        text(browse(name))


def test_new_and_edit(browse, regions):
    answer = browse(
        "new",
        data={
            "name": "李国强",
            "sex": "1",
            "birth_date": "1950-01-01",
            "region_id": regions["a_one"].pk,
            "source": "窗口",
        },
    )
    person = Person.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, reverse("people:detail", args=[person.pk]))
    bad = browse("new", data={"name": "李1", "region_id": regions["a_one"].pk, "source": "x"})
    assert (bad.status_code, Person.objects.count()) == (422, 1)
    form = {"name": "李国强", "sex": "1", "birth_date": "1950-01-01", "phone": "13804170000", "address": "新路1号"}
    assert browse("edit", person.pk, data=form).status_code == 303
    person.refresh_from_db()
    assert (person.phone, person.address) == ("13804170000", "新路1号")


def test_acts(browse, enter, regions):
    person = enter()
    browse("fact_new", person.pk, data={"fact": "living=alone", "valid_from": "2026-01-01", "source": "街道"})
    fact = PersonFact.objects.get(kind="living")
    assert browse("fact_end", fact.pk, data={"ends_on": "2026-06-01", "reason": "搬家"}).status_code == 303
    browse("contact_new", person.pk, data={"name": "李梅", "relation": "3", "phone": "13904170002"})
    contact = Contact.objects.get()
    access = {"contact_id": contact.pk, "parts": ["visits"], "given_by": "self", "given_on": "2026-01-01"}
    spoken = {"proof": "oral", "witness": "王芳"}
    assert browse("family_access", person.pk, data=access | spoken).status_code == 303
    browse("consent_withdraw", Consent.objects.get().pk, data={"withdrawn_on": "2026-02-01"})
    assert str(Consent.objects.get().withdrawn_on) == "2026-02-01"
    browse("note_new", person.pk, data={"topic": "property", "body": "房产"})
    assert GuardedNote.objects.get().body == "房产"
    text(browse("detail", person.pk))


def test_reveal_answers_the_number_and_logs(browse, enter, id_number):
    person = enter(id_number=id_number())
    assert text(browse("reveal_id", person.pk, data={})) == id_number()
    assert DataRead.objects.get().what == "id_number"


def test_the_import_page_from_upload_to_the_last_step(browse, regions):
    """R-026 on screen: upload, match, check, commit; the template and the rejected rows come as files."""
    template = browse("import", query="?file=template")
    assert template.status_code == 200
    rows = "姓名,性别,出生日期,社区\n张桂兰,女,1945.6.12,清华社区\n李四,不男,1945.6.12,清华社区\n"
    answer = browse("import", data={"step": "upload", "file": SimpleUploadedFile("a.csv", rows.encode(), "text/csv")})
    query = answer["Location"][answer["Location"].index("?") :]
    number = query.rpartition("=")[2]
    assert "出生日期" in text(browse("import", query=query))
    columns = {"column_name": "0", "column_sex": "1", "column_birth_date": "2", "column_region": "3"}
    assert browse("import", data={"step": "match", "import": number, **columns}).status_code == 303
    assert "不男" in text(browse("import", query=query))
    assert Person.objects.count() == 0
    assert browse("import", data={"step": "commit", "import": number}).status_code == 303
    operations.run(ImportBatch.objects.get().operation_id)
    text(browse("import", query=query))
    assert [p.name for p in Person.objects.all()] == ["张桂兰"]
    assert browse("import", query=f"{query}&file=rejected").status_code == 200
