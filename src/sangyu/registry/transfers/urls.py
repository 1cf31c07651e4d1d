from sangyu.ui.pages import paths

from . import pages

app_name = "transfers"
urlpatterns = paths(
    pages.TransferList, pages.NewRequest, pages.TransferDetail, pages.Agree, pages.Refuse, pages.Withdraw
)
