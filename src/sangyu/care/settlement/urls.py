from sangyu.ui.pages import paths

from . import pages

app_name = "settlement"
urlpatterns = paths(
    pages.StatementList,
    pages.ClosePeriod,
    pages.StatementDetail,
    pages.Freeze,
    pages.Discard,
    pages.Answer,
    pages.Confirm,
    pages.Object,
    pages.Approve,
    pages.Pay,
    pages.Pdf,
    pages.Xlsx,
)
