"""Addresses of the desk."""

from sangyu.ui.pages import paths

from . import pages

app_name = "hotline"
PREFIX = "desk/"
urlpatterns = paths(pages.DeskPage, pages.QueuePane, pages.FindPane, pages.CallerPane, pages.PricePane, pages.SendAct)
