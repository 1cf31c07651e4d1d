"""The public notice of assessment results, read by anybody while it lasts: masked names, one community at a time (R-029)."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Max, Min, QuerySet
from django.db.models.functions import Substr

from sangyu.kernel.errors import NotVisible
from sangyu.kernel.identity import mask_name
from sangyu.kernel.scoping import PATH_END, PATH_STEP, for_everybody
from sangyu.registry.regions import selectors as regions

from .enums import State
from .models import Assessment

#: A notice is a county's: so many characters of the path.
COUNTY = 4 * PATH_STEP


@dataclass(frozen=True)
class Notice:
    """What hangs out in one county: ``opens_on`` the first of its results, ``closes_on`` the last day of the last."""

    code: str
    name: str
    path: str
    count: int
    opens_on: date
    closes_on: date


@dataclass(frozen=True)
class Result:
    """What the public sees of one result."""

    name: str
    level: str
    scale: str
    last_day: date


def _hanging(today: date, path: str = "") -> QuerySet[Assessment]:
    rows = Assessment.objects.filter(state=State.PUBLISHED, notice_to__gte=today, person__restricted_at__isnull=True)
    return rows.filter(path__gte=path, path__lt=path + PATH_END) if path else rows


def open_notices(today: date) -> list[Notice]:
    """One a county, by name; counties with nothing on notice have none."""
    with for_everybody():
        found = _hanging(today).annotate(county=Substr("path", 1, COUNTY)).values("county").annotate(
            n=Count("pk"), first=Min("published_at"), last=Max("notice_to")
        ).order_by("county")  # fmt: skip
        made = []
        for row in found:
            region = regions.at_path(row["county"])
            if region is not None:
                made.append(
                    Notice(region.code[:6], region.full_name, region.path, row["n"], row["first"].date(), row["last"])
                )
        return made


def notice_of(code: str, today: date) -> Notice:
    """The notice of the county with these six digits. Raises NotVisible when nothing hangs out."""
    found = next((n for n in open_notices(today) if n.code == code), None)
    if found is None:
        raise NotVisible
    return found


def notice_places(notice: Notice, today: date) -> list[tuple[str, str, int]]:
    """(path, name, results) of the communities."""
    with for_everybody():
        rows = _hanging(today, notice.path).order_by().values_list("path").annotate(n=Count("pk"))
        found = dict(rows)
        named = regions.names_of(list(found))
        return [(path, named.get(path, path), n) for path, n in sorted(found.items())]


def notice_results(notice: Notice, path: str, today: date) -> list[Result]:
    """Results of one community of ``notice``, by number."""
    if not path.startswith(notice.path):
        return []
    with for_everybody():
        rows = _hanging(today, notice.path).filter(path=path).select_related("version").order_by("pk")
        return [Result(mask_name(r.person_name), r.level_name, r.version.document, r.notice_to) for r in rows]
