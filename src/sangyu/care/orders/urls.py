"""Addresses of orders."""

from sangyu.ui.pages import paths

from .pages import acts, follow_up, listing, order, rules

app_name = "orders"
urlpatterns = paths(
    listing.OrderList,
    follow_up.ReturnVisitList,
    follow_up.RecordReturnVisit,
    follow_up.AgreementList,
    follow_up.AgreementNew,
    follow_up.AgreementPage,
    follow_up.AgreementSign,
    follow_up.AgreementEnd,
    follow_up.Plan,
    rules.FeeRuleList,
    rules.LoadFeeRules,
    rules.FeeRulePage,
    rules.ServiceRuleList,
    rules.ServiceRuleNew,
    rules.ServiceRulePage,
    order.OrderPage,
    order.WorkSlip,
    acts.Receive,
    acts.MakeOffer,
    acts.Withdraw,
    acts.Reschedule,
    acts.Cancel,
    acts.Accept,
    acts.Decline,
    acts.HandBack,
    acts.Substitute,
    acts.PaperVisit,
    acts.ConfirmFor,
    acts.Dispute,
    acts.Resolve,
    acts.Refund,
)
