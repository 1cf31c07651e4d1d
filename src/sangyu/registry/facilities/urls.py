from sangyu.ui.pages import paths

from . import pages

app_name = "facilities"
urlpatterns = paths(
    pages.FacilityList,
    pages.FacilityNew,
    pages.FacilityUpload,
    pages.ResidentUpload,
    pages.FacilityDetail,
    pages.FacilityEdit,
    pages.StateFact,
    pages.Admit,
    pages.AdmitPerson,
    pages.Discharge,
    pages.TakeBack,
)
