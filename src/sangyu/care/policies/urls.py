from sangyu.ui.pages import paths

from . import pages, pages_editor, whatif_pages

app_name = "policies"
urlpatterns = paths(
    pages.Policies,
    pages_editor.New,
    pages.Load,
    pages.Files,
    whatif_pages.Choose,
    pages.Detail,
    pages_editor.Edit,
    pages_editor.NextVersion,
    pages.Approve,
    pages.End,
    pages.Discard,
    pages.Restore,
    pages.File,
    whatif_pages.WhatIf,
    whatif_pages.Export,
)
