"""Addresses of the staff's home page and of the lists that no room has."""

from sangyu.ui.pages import paths

from . import lists, pages

app_name = "bureau"
PREFIX = "home/"
urlpatterns = paths(pages.Home, lists.WorkOrders, lists.OverdueCalls, lists.Expiring, lists.Imports)
urlpatterns.insert(0, pages.Home.as_path("todo/", "todos"))
