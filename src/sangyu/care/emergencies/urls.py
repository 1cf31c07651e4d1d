"""Addresses of the emergencies room."""

from sangyu.ui.pages import paths

from .pages import answer, cases, reports, standing

app_name = "emergencies"
urlpatterns = paths(*cases.PAGES, *standing.PAGES, *reports.PAGES, *answer.PAGES)
