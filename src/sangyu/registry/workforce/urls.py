from sangyu.ui.pages import paths

from . import pages

app_name = "workforce"
urlpatterns = paths(
    pages.WorkerList,
    pages.WorkerUpload,
    pages.OrganisationWorkers,
    pages.WorkerNew,
    pages.WorkerDetail,
    pages.WorkerEdit,
    pages.CertificateNew,
    pages.CertificatePaper,
    pages.CertificateEnd,
    pages.ClearanceNew,
    pages.ClearancePaper,
    pages.ClearanceEnd,
    pages.LeaveNew,
    pages.Hours,
    pages.HonourNew,
    pages.Admit,
    pages.Suspend,
    pages.Resume,
    pages.EndEngagement,
    pages.RevealPhone,
    pages.RevealId,
    pages.DutyList,
    pages.DutyNew,
    pages.DutyDetail,
)
