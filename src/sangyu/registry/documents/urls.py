from sangyu.ui.pages import paths

from . import pages

app_name = "documents"
urlpatterns = paths(
    pages.Documents,
    pages.New,
    pages.Import,
    pages.Detail,
    pages.Edit,
    pages.End,
    pages.AddLine,
    pages.RemoveLine,
)
