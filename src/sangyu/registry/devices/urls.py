from sangyu.ui.pages import paths

from . import pages, pages_acts, pages_fees

app_name = "devices"
urlpatterns = paths(
    pages.DeviceList,
    pages.StockUpload,
    pages.BindingUpload,
    pages_acts.Receive,
    pages_fees.FeeList,
    pages_fees.Charge,
    pages_fees.Paid,
    pages_fees.Deposits,
    pages_fees.PayBack,
    pages_acts.IssueTo,
    pages.DeviceDetail,
    pages_acts.Edit,
    pages_acts.Issue,
    pages_acts.Place,
    pages_acts.TakeBack,
    pages_acts.Exchange,
    pages_acts.Lost,
    pages_acts.Found,
    pages_acts.Restock,
    pages_acts.Retire,
    pages_acts.Allot,
    pages_acts.Repair,
    pages_acts.RepairEnd,
    pages_acts.Settings,
    pages_acts.GiveCommand,
    pages_acts.ListenIn,
    pages_acts.CancelCommand,
    pages_acts.RevealSim,
    pages_acts.RevealCard,
    pages_acts.RevealSecret,
    pages_acts.RenewSecret,
)
