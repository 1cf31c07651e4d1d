"""Changing the catalogue: always by a new dated version (R-184)."""

from datetime import date
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from sangyu.kernel.actor import Actor
from sangyu.kernel.errors import BadValue, Invalid, Refused
from sangyu.kernel.names import pinyin_of
from sangyu.kernel.publishing import require_responsible
from sangyu.kernel.services import service

from .enums import Category, LicenceKind, Skill, Unit
from .files import ItemLine, PackageLine, parse
from .models import Package, PackageItem, ServiceItem
from .selectors import items_by_code

ITEM_FIELDS = (
    "name",
    "category",
    "unit",
    "duration_minutes",
    "skill",
    "licence",
    "crew_size",
    "risk_check_replaces_crew",
    "is_basic",
    "is_voluntary",
    "is_confidential",
    "at_home",
    "sex_may_be_chosen",
    "description",
    "source",
)


class Loaded(NamedTuple):
    """What a catalogue file brought: numbers of new items, new versions, items that were the same, packages published."""

    created: int
    changed: int
    unchanged: int
    packages: int


@service("catalogue.publish")
def publish_item(*, actor: Actor, region: Any, code: str, valid_from: date, today: date, **fields: Any) -> ServiceItem:
    """Publish the first or the next version of ``code`` in ``region`` from ``valid_from`` on; the version before ends there.

    A version that has not begun yet is replaced by another with the same first day. ``fields`` are those of ITEM_FIELDS; what
    is not given is taken from the version before. Raises Invalid for a field, Refused when a version already starts on or
    after that day.
    """
    require_responsible(actor, region.path)
    latest = _close_latest(ServiceItem, region.path, code, valid_from, today)
    kept = {name: getattr(latest, name) for name in ITEM_FIELDS} if latest else {}
    item = ServiceItem(**{**kept, **fields}, code=code, region=region, path=region.path, valid_from=valid_from)
    _check_item(item)
    return _saved(item)


@service("catalogue.publish")
def withdraw_item(*, actor: Actor, region: Any, code: str, valid_from: date, today: date) -> ServiceItem:
    """End ``code`` for ``region`` from ``valid_from`` on, also when a region above publishes it. Past orders keep their version.

    Raises Invalid when the region does not offer the item on that day.
    """
    require_responsible(actor, region.path)
    item = items_by_code([code], region.path, valid_from).get(code)
    if item is None:
        raise Invalid({"code": [_("“%(code)s” is not offered on that day.") % {"code": code}]})
    if item.path == region.path:
        _close_latest(ServiceItem, region.path, code, valid_from, today)
    kept = {name: getattr(item, name) for name in ITEM_FIELDS}
    return _saved(
        ServiceItem(**kept, code=code, region=region, path=region.path, valid_from=valid_from, is_withdrawn=True)
    )


@service("catalogue.publish")
def publish_package(
    *,
    actor: Actor,
    region: Any,
    code: str,
    name: str,
    lines: dict[str, int],
    valid_from: date,
    today: date,
    audience: str = "everyone",
    description: str = "",
) -> Package:
    """Publish the first or next version of a package; ``lines`` maps item code → times per month (R-076).

    Raises Invalid for an empty package or a code that the region does not offer on ``valid_from``.
    """
    require_responsible(actor, region.path)
    known = items_by_code(list(lines), region.path, valid_from)
    unknown = [c for c in lines if c not in known]
    if unknown:
        raise Invalid({"lines": [_("Not offered on that day: %(codes)s") % {"codes": ", ".join(unknown)}]})
    if not lines or any(not 1 <= n <= 124 for n in lines.values()):
        raise Invalid({"lines": [_("Give at least one service, each 1 to 124 times a month.")]})
    _close_latest(Package, region.path, code, valid_from, today)
    package = Package.objects.create(
        code=code,
        name=name,
        audience=audience,
        description=description,
        region=region,
        path=region.path,
        valid_from=valid_from,
    )
    PackageItem.objects.bulk_create(
        PackageItem(package=package, item_code=c, times_per_month=n, path=region.path) for c, n in lines.items()
    )
    return package


@service("catalogue.publish")
def load_catalogue(*, actor: Actor, region: Any, text: str, filename: str, today: date) -> Loaded:
    """Publish a catalogue file in ``region``: new items and new versions of those that differ; the rest stays untouched.

    All or nothing. Raises Invalid with one message per mistake, each naming file, line and remedy.
    """
    require_responsible(actor, region.path)
    try:
        found = parse(text, filename)
    except BadValue as e:
        raise Invalid({"file": e.message.splitlines()}) from e
    with transaction.atomic():
        return _load_items(actor, region, found.items, today)._replace(
            packages=_load_packages(actor, region, found.packages, today)
        )


def _load_items(actor: Actor, region: Any, lines: list[ItemLine], today: date) -> Loaded:
    own = ServiceItem.objects.filter(path=region.path, code__in=[line.code for line in lines])
    latest = {i.code: i for i in own.order_by("code", "-valid_from").distinct("code")}
    fresh, changed = [], 0
    for line in lines:
        old = latest.get(line.code)
        if old is None:
            item = ServiceItem(
                **line.fields, code=line.code, region=region, path=region.path, valid_from=line.valid_from
            )
            item.pinyin, item.initials = pinyin_of(item.name)
            fresh.append(item)
        elif not old.is_withdrawn and any(getattr(old, name) != value for name, value in line.fields.items()):
            start = max(line.valid_from, today)
            publish_item(actor=actor, region=region, code=line.code, valid_from=start, today=today, **line.fields)
            changed += 1
    ServiceItem.objects.bulk_create(fresh)
    return Loaded(len(fresh), changed, len(lines) - len(fresh) - changed, 0)


def _load_packages(actor: Actor, region: Any, lines: list[PackageLine], today: date) -> int:
    own = Package.objects.filter(path=region.path, code__in=[line.code for line in lines]).prefetch_related("lines")
    latest = {p.code: p for p in own.order_by("code", "-valid_from").distinct("code")}
    published = 0
    for line in lines:
        old = latest.get(line.code)
        if old and (old.name, old.audience, {i.item_code: i.times_per_month for i in old.lines.all()}) == (
            line.name,
            line.audience,
            line.lines,
        ):
            continue
        publish_package(
            actor=actor,
            region=region,
            code=line.code,
            name=line.name,
            audience=line.audience,
            description=line.description,
            lines=line.lines,
            valid_from=max(line.valid_from, today) if old else line.valid_from,
            today=today,
        )
        published += 1
    return published


def _close_latest(model: type, path: str, code: str, valid_from: date, today: date):
    """End the latest version at ``valid_from``, or remove it when it was to begin that day and has not begun."""
    latest = model.objects.select_for_update().filter(path=path, code=code).order_by("-valid_from").first()
    if latest is None or (latest.valid_to is not None and latest.valid_to <= valid_from):
        return latest
    if latest.valid_from == valid_from > today:
        latest.delete()
        return latest
    if latest.valid_from >= valid_from:
        raise Refused(
            _("A version already begins on %(day)s. Choose a later day.") % {"day": latest.valid_from.isoformat()},
            code="catalogue.version_exists",
        )
    latest.valid_to = valid_from
    latest.save(update_fields=["valid_to"])
    return latest


def _check_item(item: ServiceItem) -> None:
    errors: dict[str, list[str]] = {}
    for name, words in (("category", Category), ("unit", Unit), ("skill", Skill), ("licence", LicenceKind)):
        if getattr(item, name) not in words.values:
            errors[name] = [_("Choose one of: %(words)s") % {"words": ", ".join(words.values)}]
    if not item.name.strip():
        errors["name"] = [_("Give the service a name.")]
    if not item.duration_minutes or not 0 < item.duration_minutes <= 24 * 60:
        errors["duration_minutes"] = [_("The duration must be 1 to 1440 minutes.")]
    if not 1 <= item.crew_size <= 6:
        errors["crew_size"] = [_("The crew must be 1 to 6 workers.")]
    if item.risk_check_replaces_crew and item.crew_size < 2:
        errors["risk_check_replaces_crew"] = [_("A risk check replaces the second worker: the crew must be 2 or more.")]
    if errors:
        raise Invalid(errors)


def _saved(item: ServiceItem) -> ServiceItem:
    item.pinyin, item.initials = pinyin_of(item.name)
    item.save(force_insert=True)
    return item
