from sangyu.ui.pages import paths

from . import pages, pages_registers

app_name = "privacy"
urlpatterns = paths(
    pages.RequestList,
    pages.PaperRequest,
    pages.RequestDetail,
    pages.Take,
    pages.GiveCopy,
    pages.Correct,
    pages.Erase,
    pages.Lift,
    pages.Refuse,
    pages_registers.Ledger,
    pages_registers.IncidentList,
    pages_registers.IncidentNew,
    pages_registers.IncidentEdit,
    pages_registers.AssessmentList,
    pages_registers.AssessmentNew,
)
