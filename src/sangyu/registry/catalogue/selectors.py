"""Reading the catalogue. A lower region's version of a code stands before those of the regions above it."""

from datetime import date

from django.db.models.functions import Length

from sangyu.kernel.errors import NotVisible
from sangyu.kernel.scoping import lineage

from .models import Package, ServiceItem


def _nearest_first(model, path: str, day: date):
    return model.objects.on(day).filter(path__in=lineage(path)).order_by("code", Length("path").desc()).distinct("code")


def get_item(code: str, path: str, day: date) -> ServiceItem | None:
    """The version of ``code`` that holds for ``path`` on ``day``; None when the region has none or withdrew it."""
    item = _nearest_first(ServiceItem, path, day).filter(code=code).first()
    return None if item is None or item.is_withdrawn else item


def get_item_by_id(pk: int) -> ServiceItem:
    """The version that an order or agreement was priced by, whatever holds today. Raises NotVisible."""
    item = ServiceItem.objects.filter(pk=pk).first()
    if item is None:
        raise NotVisible
    return item


def as_item(item: ServiceItem | int) -> ServiceItem:
    """``item`` itself, or the version with that id."""
    return get_item_by_id(item) if isinstance(item, int) else item


def items_for(path: str, day: date, category: str | None = None) -> list[ServiceItem]:
    """The list of services that holds for ``path`` on ``day``, one version per code, ordered by category and code."""
    found = (i for i in _nearest_first(ServiceItem, path, day) if not i.is_withdrawn and category in (None, i.category))
    return sorted(found, key=lambda i: (i.category, i.code))


def items_by_code(codes: list[str], path: str, day: date) -> dict[str, ServiceItem]:
    """``get_item`` for several codes in one query; codes that do not hold are missing from the answer."""
    return {i.code: i for i in _nearest_first(ServiceItem, path, day).filter(code__in=codes) if not i.is_withdrawn}


def versions(code: str, path: str):
    """All versions of one region's item, newest first."""
    return ServiceItem.objects.filter(code=code, path=path).order_by("-valid_from")


def packages_for(path: str, day: date) -> list[Package]:
    """The packages that hold for ``path`` on ``day`` with their lines, one version per code."""
    return list(_nearest_first(Package, path, day).prefetch_related("lines"))
