"""Addresses of the emergencies room."""

from sangyu.ui.pages import paths

from .pages import answer, cases, reports, standing, stations

app_name = "emergencies"
urlpatterns = paths(*cases.PAGES, *standing.PAGES, *stations.PAGES, *reports.PAGES, *answer.PAGES)
