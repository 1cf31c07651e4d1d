"""Addresses of the elder page and of the search."""

from sangyu.ui.pages import paths

from . import handing_over, merge_pages, pages, papers, search

app_name = "casefile"
urlpatterns = paths(
    search.SearchPage,
    pages.CasefilePage,
    pages.Timeline,
    pages.AfterDeath,
    papers.Print,
    papers.HomeCode,
    papers.Card,
    papers.CodeImage,
    merge_pages.Compare,
    merge_pages.Merges,
    merge_pages.UndoMerge,
    handing_over.HandOver,
)
