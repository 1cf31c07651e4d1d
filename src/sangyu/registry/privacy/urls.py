from sangyu.ui.pages import paths

from . import pages

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
    pages.Ledger,
    pages.IncidentList,
    pages.IncidentNew,
    pages.IncidentEdit,
    pages.AssessmentList,
    pages.AssessmentNew,
)
