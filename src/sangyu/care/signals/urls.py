"""Addresses of the signals room."""

from sangyu.ui.pages import paths

from . import pages, pages_limits

app_name = "signals"
urlpatterns = paths(pages.AlarmList, pages.DeviceMap, pages.OfPerson, pages.Track, pages.OfDevice, *pages_limits.PAGES)
