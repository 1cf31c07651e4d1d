"""Files: who sees them, what is accepted, when bytes go (design rules 8 and 11, R-085)."""

import io
import os
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from PIL import Image

from sangyu.kernel import files, jobs
from sangyu.kernel.actor import Actor, Audience
from sangyu.kernel.errors import Invalid, NotVisible
from sangyu.kernel.models import DataRead, Operation, StoredFile
from sangyu.kernel.scoping import scope

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 hello"


def stored(folder) -> list[str]:
    return [name for _d, _s, names in os.walk(folder) for name in names]


def picture(kind="JPEG", size=(2400, 1800), **options) -> bytes:
    """Noise, which compresses badly, with an EXIF place."""
    image = Image.effect_noise(size, 90).convert("RGB")
    exif = image.getexif()
    exif[0x010F] = "PhoneMaker"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    image.save(out, kind, exif=exif, **options)
    return out.getvalue()


def account(actor: Actor, pk: int) -> Actor:
    return Actor(**{name: getattr(actor, name) for name in Actor.__slots__} | {"account_id": pk})


def test_save_and_read_back(staff, storage):
    row = files.save(staff("a_one"), title="合同.pdf", content_type="application/pdf", data=PDF)
    assert (row.size, row.path, row.audience) == (len(PDF), staff("a_one").path, "staff")
    assert files.read(staff("a"), row.pk) == PDF
    assert stored(storage) == [row.name.rsplit("/", 1)[1]]
    assert "合同" not in row.name


def test_out_of_scope_is_not_there(staff):
    row = files.save(staff("a_one"), title="x", content_type="application/pdf", data=PDF)
    with pytest.raises(NotVisible):
        files.open_file(staff("b"), row.pk)
    with pytest.raises(NotVisible):
        files.open_file(staff("a"), row.pk + 999)


def test_a_file_is_seen_by_who_sees_its_owner_unless_private(staff, regions):
    owner = Operation.objects.create(
        kind="t", title="t", path=regions["a_one"].path, audience="worker", subject_id=7, actor="w", account_id=3
    )
    worker = Actor(audience=Audience.WORKER, path=regions["city"].path, name="w", subject_id=7, account_id=3)
    other = Actor(audience=Audience.WORKER, path=regions["city"].path, name="o", subject_id=8, account_id=4)
    provider = Actor(audience=Audience.PROVIDER, path=regions["city"].path, name="p", subject_id=7, account_id=5)
    row = files.save(staff("a"), owner=owner, title="x", content_type="application/pdf", data=PDF)
    assert row.path == owner.path
    assert files.read(worker, row.pk) == PDF
    assert [f.pk for f in files.files_of(worker, owner)] == [row.pk]
    for foreign in (other, provider, staff("b")):
        with pytest.raises(NotVisible):
            files.open_file(foreign, row.pk)
        assert files.files_of(foreign, owner) == []
    secret = files.save(
        account(staff("a"), 9), owner=owner, title="s", content_type="application/pdf", data=PDF, private=True
    )
    assert [f.pk for f in files.files_of(worker, owner)] == [row.pk]
    assert files.read(account(staff("a"), 9), secret.pk) == PDF
    for foreign in (worker, account(staff("a"), 10), staff("a")):
        with pytest.raises(NotVisible):
            files.open_file(foreign, secret.pk)


@pytest.mark.parametrize(
    ("content_type", "data", "words"),
    [
        ("text/html", b"<script>", "not accepted"),
        ("image/svg+xml", b"<svg/>", "not accepted"),
        ("application/pdf", b"", "empty"),
        ("application/pdf", b"<html>", "does not fit"),
        ("image/jpeg", b"\xff\xd8\xff" + b"junk", "cannot be read"),
        ("image/png", picture("JPEG", (10, 10)), "does not fit"),
    ],
)
def test_what_is_refused_leaves_nothing(staff, storage, settings, content_type, data, words):
    settings.LANGUAGE_CODE = "en"
    from django.utils.translation import override

    with override("en"), pytest.raises(Invalid, match=words):
        files.save(staff("a"), title="x", content_type=content_type, data=data)
    assert StoredFile.objects.count() == 0
    assert stored(storage) == []


def test_too_large_is_refused_before_all_is_read(staff, monkeypatch, storage):
    monkeypatch.setitem(files.KINDS, "application/pdf", files.FileKind(1000, (b"%PDF-",)))
    stream = io.BytesIO(PDF + b"x" * 100_000)
    with pytest.raises(Invalid):
        files.save(staff("a"), title="x", content_type="application/pdf", stream=stream)
    assert stream.tell() == 1001
    assert stored(storage) == []


def test_a_picture_with_too_many_pixels_is_refused(staff):
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(Invalid):
        files.save(staff("a"), title="x", content_type="image/png", data=out.getvalue())


def test_visit_photos_are_small_upright_and_without_exif(staff):
    raw = picture(quality=95)
    assert len(raw) > 2_000_000
    row = files.save(staff("a"), title="visit.jpg", content_type="image/jpeg", data=raw, photo=True)
    kept = files.read(staff("a"), row.pk)
    assert len(kept) <= 300_000
    assert row.size == len(kept)
    image = Image.open(io.BytesIO(kept))
    assert dict(image.getexif()) == {}
    assert b"PhoneMaker" not in kept
    assert max(image.size) <= 1600


def test_other_pictures_lose_exif_too_and_turn_upright(staff):
    image = Image.new("RGB", (40, 20), "red")
    exif = image.getexif()
    exif[0x0112] = 6  # turned by 90 degrees
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    row = files.save(staff("a"), title="x", content_type="image/jpeg", data=out.getvalue())
    kept = Image.open(io.BytesIO(files.read(staff("a"), row.pk)))
    assert (kept.size, dict(kept.getexif())) == ((20, 40), {})


def test_bytes_go_with_a_refused_row(staff, storage, regions):
    foreign = Operation.objects.create(kind="t", title="t", path=regions["b_one"].path, audience="staff", actor="x")
    with pytest.raises(Exception, match="row-level security"):
        files.save(staff("a"), owner=foreign, title="x", content_type="application/pdf", data=PDF)
    assert stored(storage) == []


def test_removal_takes_the_bytes_only_after_the_commit(staff, storage):
    row = files.save(staff("a"), title="x", content_type="application/pdf", data=PDF)
    with pytest.raises(RuntimeError), transaction.atomic():
        files.remove(staff("a"), row.pk)
        raise RuntimeError
    assert jobs.run_due() == 0
    assert files.read(staff("a"), row.pk) == PDF
    with pytest.raises(NotVisible):
        files.remove(staff("b"), row.pk)
    files.remove(staff("a"), row.pk)
    assert len(stored(storage)) == 1
    assert jobs.run_due() == 1
    assert stored(storage) == []


def test_the_sweeper_ends_what_is_due_and_finds_orphans(staff, storage):
    now = datetime(2026, 10, 15, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
    kept = files.save(staff("a"), title="k", content_type="application/pdf", data=PDF, now=now)
    files.save(staff("a"), title="d", content_type="application/pdf", data=PDF, keep_days=30, now=now)
    with pytest.raises(RuntimeError), transaction.atomic():
        files.save(staff("a"), title="o", content_type="application/pdf", data=PDF, now=now)
        raise RuntimeError
    assert len(stored(storage)) == 3
    assert files.sweep(now + timedelta(days=1)) == 0
    assert files.sweep(now + timedelta(days=3)) == 1  # the orphan
    assert files.sweep(now + timedelta(days=31)) == 1
    jobs.run_due()
    assert stored(storage) == [kept.name.rsplit("/", 1)[1]]
    assert [f.title for f in StoredFile.objects.all()] == ["k"]


def test_download_headers_and_the_log_of_reads(staff, rf, client):
    title = 'a"b\r\n王.pdf'
    row = files.save(staff("a"), title=title, content_type="application/pdf", data=PDF)
    request = rf.get("/", {"why": "check"})
    request.actor = staff("a")
    response = files.download(request, row.pk)
    assert b"".join(response.streaming_content) == PDF
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Disposition"] == "attachment; filename*=UTF-8''a%22b%0D%0A%E7%8E%8B.pdf"
    assert response["Cache-Control"] == "private, no-store"
    assert [(r.what, r.purpose, r.row_id) for r in DataRead.objects.all()] == [("file", "check", row.pk)]
    photo = files.save(staff("a"), title="p", content_type="image/jpeg", data=picture("JPEG", (20, 20)))
    shown = files.download_response(staff("a"), photo.pk, inline=True)
    assert shown["Content-Disposition"].startswith("inline")
    shown.file_to_stream.close()
    sheet = files.save(staff("a"), title="p", content_type="text/csv", data=b"a,b")
    asked = files.download_response(staff("a"), sheet.pk, inline=True)
    assert asked["Content-Disposition"].startswith("attachment")
    asked.file_to_stream.close()
    assert DataRead.objects.count() == 2


def test_lost_bytes_are_a_404_not_a_crash(staff, storage):
    row = files.save(staff("a"), title="x", content_type="application/pdf", data=PDF)
    default_storage.delete(row.name)
    with pytest.raises(NotVisible):
        files.open_file(staff("a"), row.pk)


def test_a_family_saves_for_itself(regions):
    family = Actor(audience=Audience.FAMILY, path=regions["a_one"].path, name="f", subject_id=5, account_id=5)
    row = files.save(family, title="x", content_type="application/pdf", data=PDF)
    assert (row.subject_id, files.read(family, row.pk)) == (5, PDF)
    with scope(family):
        assert StoredFile.objects.count() == 1
