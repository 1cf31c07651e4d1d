"""Addresses of the provider's desk."""

from sangyu.ui.pages import paths

from . import pages

app_name = "provider"
urlpatterns = paths(pages.Home, pages.Own, pages.OwnPrices)
