"""Addresses of the elder edition."""

from sangyu.ui.pages import paths

from . import assessed, calling, data, pages, relatives, subsidies, visits, wanting

app_name = "family"
PREFIX = "elder/"
urlpatterns = paths(
    pages.Home,
    pages.TypeSize,
    pages.ElderHome,
    calling.Emergency,
    calling.Called,
    calling.TellPlace,
    pages.Vouchers,
    pages.Family,
    pages.Devices,
    relatives.Invite,
    relatives.EndAccess,
    relatives.Notices,
    relatives.ReadNotice,
    subsidies.Subsidies,
    subsidies.Why,
    subsidies.Appeal,
    assessed.Assessed,
    wanting.Want,
    visits.Visits,
    visits.Visit,
    visits.Act,
    data.Data,
    data.AskData,
    data.WithdrawData,
)
