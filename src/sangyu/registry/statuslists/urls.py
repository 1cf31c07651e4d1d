from sangyu.ui.pages import paths

from . import pages

app_name = "statuslists"
urlpatterns = paths(
    pages.Lists, pages.Enter, pages.Lines, pages.TakeListBack, pages.Choose, pages.Register, pages.AskTransfer
)
