"""Addresses of the elder page and of the search."""

from sangyu.ui.pages import paths

from . import pages, papers, search

app_name = "casefile"
urlpatterns = paths(
    search.SearchPage, pages.CasefilePage, pages.Timeline, papers.Print, papers.HomeCode, papers.CodeImage
)
