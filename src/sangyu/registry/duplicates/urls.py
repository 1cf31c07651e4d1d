from sangyu.ui.pages import paths

from . import pages

app_name = "duplicates"
urlpatterns = paths(pages.CandidateList, pages.Search, pages.Similar, pages.Apart, pages.Later, pages.TakeUp)
