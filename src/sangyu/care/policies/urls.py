from sangyu.ui.pages import paths

from . import pages, whatif_pages

app_name = "policies"
urlpatterns = paths(
    pages.Policies,
    pages.New,
    pages.Load,
    pages.Files,
    whatif_pages.Choose,
    pages.Detail,
    pages.Edit,
    pages.NextVersion,
    pages.Approve,
    pages.End,
    pages.Discard,
    pages.Restore,
    pages.File,
    whatif_pages.WhatIf,
    whatif_pages.Export,
)
