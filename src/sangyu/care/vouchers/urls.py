from sangyu.ui.pages import paths

from . import issue_pages, pages, sheet_pages

app_name = "vouchers"
urlpatterns = paths(
    pages.VoucherList,
    issue_pages.IssueVouchers,
    issue_pages.IssueConfirm,
    pages.ProgrammeList,
    pages.ProgrammeNew,
    pages.ProgrammeDetail,
    pages.ProgrammeEdit,
    pages.VoucherDetail,
    pages.ReportLoss,
    pages.Found,
    pages.Reissue,
    pages.Cancel,
    sheet_pages.VoucherSheet,
    sheet_pages.IssueSheets,
)
