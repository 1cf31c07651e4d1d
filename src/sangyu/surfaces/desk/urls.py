"""Addresses of the emergency desk."""

from sangyu.ui.pages import paths

from . import acts, pages, wall, watch

app_name = "desk"
PREFIX = "console/"
NAV = [*pages.NAV, *watch.NAV, *wall.NAV]
urlpatterns = paths(
    pages.Console,
    pages.QueuePane,
    pages.CasePane,
    pages.CaseNews,
    *acts.ACTS,
    watch.Watch,
    watch.GiveBack,
    wall.Wall,
)
