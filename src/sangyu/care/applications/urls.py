from sangyu.ui.pages import paths

from . import pages, standing_pages

app_name = "applications"
urlpatterns = paths(
    pages.ApplicationList,
    pages.ObjectionList,
    standing_pages.HoldList,
    standing_pages.PayeeList,
    pages.ApplicationNew,
    pages.ObjectionNew,
    standing_pages.HoldNew,
    standing_pages.DeliveryNew,
    standing_pages.PayeeNew,
    pages.ApplicationDetail,
    pages.Approve,
    pages.Refuse,
    pages.Withdraw,
    pages.PaperNew,
    pages.ObjectionDetail,
    pages.Uphold,
    pages.Reject,
    pages.Appeal,
    pages.WithdrawObjection,
    standing_pages.Resume,
    standing_pages.PayeeDetail,
    standing_pages.PayeeApprove,
    standing_pages.PayeeRefuse,
    standing_pages.Reveal,
)
