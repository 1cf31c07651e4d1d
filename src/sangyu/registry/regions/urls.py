from sangyu.ui.pages import paths

from . import pages

app_name = "regions"

urlpatterns = paths(
    pages.RegionList,
    pages.RegionChangeList,
    pages.RegionOptions,
    pages.RegionChoices,
    pages.RegionDetail,
    pages.RegionRename,
    pages.RegionRecode,
    pages.RegionMerge,
    pages.RegionSplit,
    pages.RegionMove,
)
