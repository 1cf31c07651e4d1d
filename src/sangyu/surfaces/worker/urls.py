"""Addresses of the worker's phone."""

from sangyu.ui.pages import paths

from . import pages

app_name = "worker"
urlpatterns = paths(pages.Today, pages.Record, pages.Duties, pages.Acknowledge, pages.Shell, pages.Visit, pages.Step)
