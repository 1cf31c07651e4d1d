"""Scanned licences, contracts, certificates and checks: kept, seen by who sees the row, refused when not a paper (R-006, R-151)."""

from datetime import date
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from sangyu.kernel.models import StoredFile
from sangyu.registry.organisations.models import Contract, Licence
from sangyu.registry.workforce.models import Certificate, Clearance
from support.pages import client_for

pytestmark = pytest.mark.django_db


def picture(name="scan.png", kind="image/png") -> SimpleUploadedFile:
    out = BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), content_type=kind)


@pytest.fixture
def rows(world) -> dict:
    licence = Licence.objects.create(
        organisation=world.organisation, path=world.organisation.path, kind="food", number="JY1",
        valid_from=date(2026, 1, 1),
    )  # fmt: skip
    return {
        f"/organisations/licences/{licence.pk}/paper/": (Licence, licence.pk),
        f"/organisations/contracts/{world.contract.pk}/paper/": (Contract, world.contract.pk),
        f"/workforce/certificates/{world.lead.certificates.first().pk}/paper/": (
            Certificate,
            world.lead.certificates.first().pk,
        ),
        f"/workforce/clearances/{world.lead.clearances.first().pk}/paper/": (
            Clearance,
            world.lead.clearances.first().pk,
        ),
    }


def test_a_paper_is_kept_and_shown(world, rows, staff):
    client = client_for(staff("a"))
    for url, (model, pk) in rows.items():
        assert client.get(url).status_code == 200
        answer = client.post(url, {"file": picture()})
        assert answer.status_code == 303, (url, answer.content[:500])
        row = model.objects.get(pk=pk)
        assert (row.file.owner_table, row.file.owner_id) == (model._meta.db_table, pk)
        page = client.get(answer["Location"].split("#")[0]).content.decode()
        if model is Contract:
            assert f"/ui/files/{row.file_id}/?inline" in page
        assert client.get(f"/ui/files/{row.file_id}/?inline").status_code == 200
        assert client_for(staff("b")).get(f"/ui/files/{row.file_id}/?inline").status_code == 404
    tabs = client.get(f"/organisations/{world.organisation.pk}/licences/").content.decode()
    assert "?inline" in tabs


def test_the_provider_sees_the_papers_of_its_own_record(world, rows, staff):
    client = client_for(staff("a"))
    for url in rows:
        client.post(url, {"file": picture()})
    own = client_for(world.manager)
    for model, pk in rows.values():
        assert own.get(f"/ui/files/{model.objects.get(pk=pk).file_id}/?inline").status_code == 200


def test_what_is_no_paper_is_refused_and_nothing_kept(rows, staff):
    client = client_for(staff("a"))
    for url, (model, pk) in rows.items():
        page = SimpleUploadedFile("x.html", b"<script>", content_type="text/html")
        assert client.post(url, {"file": page}).status_code == 422
        assert client.post(url, {}).status_code == 422
        assert client_for(staff("b")).post(url, {"file": picture()}).status_code == 404
        assert client_for(staff("a", permissions=[])).post(url, {"file": picture()}).status_code == 403
        assert model.objects.get(pk=pk).file_id is None
    assert StoredFile.objects.count() == 0
