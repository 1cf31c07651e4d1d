from sangyu.ui.pages import paths

from . import objection_pages, pages, standing_pages

app_name = "applications"
urlpatterns = paths(
    pages.ApplicationList,
    objection_pages.ObjectionList,
    standing_pages.HoldList,
    standing_pages.PayeeList,
    pages.ApplicationNew,
    pages.BodyApplicationNew,
    pages.Decide,
    objection_pages.ObjectionNew,
    objection_pages.BodyObjectionNew,
    objection_pages.ObjectToRefusal,
    standing_pages.HoldNew,
    standing_pages.BodyHoldNew,
    standing_pages.DeliveryNew,
    standing_pages.PayeeNew,
    standing_pages.BodyPayeeNew,
    pages.ApplicationDetail,
    pages.Approve,
    pages.Refuse,
    pages.Withdraw,
    pages.PaperNew,
    objection_pages.ObjectionDetail,
    objection_pages.Uphold,
    objection_pages.Reject,
    objection_pages.Appeal,
    objection_pages.WithdrawObjection,
    standing_pages.Resume,
    standing_pages.PayeeDetail,
    standing_pages.PayeeApprove,
    standing_pages.PayeeRefuse,
    standing_pages.Reveal,
)
