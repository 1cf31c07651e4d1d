"""Addresses of the emergencies room."""

from sangyu.ui.pages import paths

from .pages import answer, calls, cases, drills, exchanges, ladders, reports, roster, stations

app_name = "emergencies"
ROOMS = (cases, roster, drills, calls, exchanges, ladders, stations, reports, answer)
urlpatterns = paths(*(page for room in ROOMS for page in room.PAGES))
