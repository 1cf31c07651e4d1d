"""Papers, checks, assignments and card codes of a person's file (R-015, R-016)."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import BinaryIO

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from sangyu.kernel import files
from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import Invalid, NotVisible, Refused
from sangyu.kernel.events import emit
from sangyu.kernel.scoping import say_why
from sangyu.kernel.services import service
from sangyu.registry.accounts import selectors as accounts
from sangyu.registry.people import selectors as people
from sangyu.registry.people import services as people_services

from . import events
from .enums import PaperKind, Way
from .models import Assignment, CardCode, Check, Paper

#: What a paper may be, and how large (bytes). Photographs are shrunk by the kernel.
TYPES = ("image/jpeg", "image/png", "image/webp", "application/pdf")
LARGEST = 20_000_000
#: Checks noted in one act.
MOST = 1_000


# ---------------------------------------------------------------- papers
@service("dossier.papers")
def add_paper(
    *,
    actor: Actor,
    person_id: int,
    kind: str,
    content_type: str,
    data: bytes | None = None,
    stream: BinaryIO | None = None,
    size: int | None = None,
    title: str = "",
    note: str = "",
    now: datetime | None = None,
) -> Paper:
    """Keep a photograph or PDF with the person's file. Raises Invalid (kind, type, size, content), NotVisible."""
    person = people.locked_person(person_id)
    if kind not in PaperKind.values:
        raise Invalid({"kind": [_("Choose what it is.")]})
    if content_type.split(";")[0].strip().lower() not in TYPES:
        raise Invalid({"file": [_("Add a photograph (JPEG, PNG, WebP) or a PDF.")]})
    if (len(data) if data is not None else size or 0) > LARGEST:
        raise Invalid({"file": [_("The file is larger than %(limit)s MB.") % {"limit": LARGEST // 1_000_000}]})
    now = now or timezone.now()
    title = (title.strip() or str(PaperKind(kind).label))[:100]
    stored = files.save(
        actor, title=title, content_type=content_type, data=data, stream=stream, owner=person, now=now
    )  # fmt: skip
    paper = Paper.objects.create(
        person=person, path=person.path, kind=kind, title=title, note=note.strip(), file=stored, added_at=now,
        actor=actor.name,
    )  # fmt: skip
    emit(events.PAPER_ADDED, path=paper.path, id=paper.pk, person=person.pk)
    return paper


@service("dossier.papers")
def withdraw_paper(*, actor: Actor, paper_id: int, reason: str, now: datetime | None = None) -> Paper:
    """Take a paper out of sight: it was wrong or is out of date. Row, bytes and reason stay. Raises NotVisible, Refused."""
    paper = _paper(paper_id)
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    if paper.withdrawn_at is not None:
        raise Refused(_("The paper is withdrawn already."), code="dossier.withdrawn")
    say_why(reason)
    paper.withdrawn_at, paper.withdrawn_by = now or timezone.now(), actor.name[:100]
    paper.withdrawn_reason = reason.strip()[:200]
    paper.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    emit(events.PAPER_WITHDRAWN, path=paper.path, id=paper.pk, person=paper.person_id)
    return paper


@service("dossier.papers")
def restore_paper(*, actor: Actor, paper_id: int) -> Paper:
    """Undo a withdrawal. Raises NotVisible, Refused."""
    paper = _paper(paper_id)
    if paper.withdrawn_at is None:
        raise Refused(_("The paper is not withdrawn."), code="dossier.not_withdrawn")
    paper.withdrawn_at, paper.withdrawn_by, paper.withdrawn_reason = None, "", ""
    paper.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    return paper


def _paper(pk: int) -> Paper:
    found = Paper.objects.select_for_update().filter(pk=pk).first()
    if found is None:
        raise NotVisible
    return found


# ---------------------------------------------------------------- checks
@service("dossier.check")
def check_files(
    *,
    actor: Actor,
    person_ids: Iterable[int],
    on: date,
    way: str,
    note: str = "",
    today: date | None = None,
    now: datetime | None = None,
) -> int:
    """Note that these files were looked through ``on`` that day in this ``way`` (R-015), at most 1,000 at once; how many.

    The assignment of each ends. Files out of sight are left out. Raises Invalid, NotVisible when none is seen.
    """
    if way not in Way.values:
        raise Invalid({"way": [_("Say how the file was checked.")]})
    wanted = list(dict.fromkeys(person_ids))
    if len(wanted) > MOST:
        raise Invalid({"": [_("At most %(limit)s files at a time.") % {"limit": MOST}]})
    paths = people.paths_of(wanted)
    if not paths:
        raise NotVisible
    people_services.confirm_checks(actor=actor, person_ids=list(paths), on=on, today=today)
    now = now or timezone.now()
    Check.objects.bulk_create(
        Check(
            person_id=pk, path=path, on=on, way=way, note=note.strip()[:300], recorded_at=now,
            account_id=actor.account_id, actor=actor.name,
        )
        for pk, path in paths.items()
    )  # fmt: skip
    Assignment.objects.filter(person_id__in=paths).delete()
    emit(events.CHECKED, path=actor.path, person=wanted[0] if len(wanted) == 1 else None, on=on.isoformat())
    return len(paths)


@service("dossier.assign")
def assign(*, actor: Actor, person_ids: Iterable[int], account_id: int | None, now: datetime | None = None) -> int:
    """Say who checks these files next (None takes the assignment away); how many. Raises Invalid, NotVisible."""
    paths = people.paths_of(list(person_ids)[:MOST])
    if not paths:
        raise NotVisible
    Assignment.objects.filter(person_id__in=paths).delete()
    if account_id is None:
        return len(paths)
    if account_id not in {a.pk for a in accounts.colleagues(actor)}:
        raise Invalid({"account_id": [_("Choose somebody of your area.")]})
    now = now or timezone.now()
    Assignment.objects.bulk_create(
        Assignment(person_id=pk, path=path, account_id=account_id, assigned_at=now, actor=actor.name)
        for pk, path in paths.items()
    )
    return len(paths)


@service("dossier.assign")
def assign_back(*, actor: Actor, turns: dict[int, tuple[int | None, int]]) -> dict[int, str]:
    """Take ``assign`` back: ``turns`` is person → (who it was before or None, who it was given to).

    Answers {person: why not} where the file was checked or given to somebody else since.
    """
    now = dict(Assignment.objects.filter(person_id__in=turns).values_list("person_id", "account_id"))
    refused = {pk: _("Was checked or assigned again since.") for pk, (_old, new) in turns.items() if now.get(pk) != new}
    groups: dict[int | None, list[int]] = {}
    for pk, (old, _new) in turns.items():
        if pk not in refused:
            groups.setdefault(old, []).append(pk)
    for old, ids in groups.items():
        try:
            assign(actor=actor, person_ids=ids, account_id=old)
        except Invalid as error:  # whose turn it was is no colleague any more
            refused |= dict.fromkeys(ids, str(error))
    return refused


def turns_of(person_ids: Iterable[int]) -> dict[int, int]:
    """Person → account that checks the file next. Call inside a scope."""
    return dict(Assignment.objects.filter(person_id__in=list(person_ids)).values_list("person_id", "account_id"))


# ---------------------------------------------------------------- the code on the card
@service("dossier.code")
def card_code(*, actor: Actor, person_id: int, now: datetime | None = None) -> CardCode:
    """The live code of the person's card; issued when there is none. Raises NotVisible."""
    person = people.locked_person(person_id)
    found = CardCode.objects.filter(person=person, replaced_at__isnull=True).first()
    return found or CardCode.objects.create(
        person=person, path=person.path, issued_at=now or timezone.now(), actor=actor.name
    )


@service("dossier.code")
def replace_card_code(*, actor: Actor, person_id: int, reason: str, now: datetime | None = None) -> CardCode:
    """The card is lost: its code opens nothing from now on, a new one is issued. Raises NotVisible, Invalid."""
    person = people.locked_person(person_id)
    if not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    now = now or timezone.now()
    CardCode.objects.filter(person=person, replaced_at__isnull=True).update(
        replaced_at=now, replaced_reason=reason.strip()[:200]
    )
    return CardCode.objects.create(person=person, path=person.path, issued_at=now, actor=actor.name)


def person_of_card(token: str) -> int | None:
    """The person whose live card carries ``token``; None for an unknown or replaced one. Call inside a scope.

    A definer function answers: whether the actor may see the person is decided where the file is opened.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT sangyu.person_of_card(%s)", [token[:40]])
        return cursor.fetchone()[0]
