from sangyu.ui.pages import paths

from . import pages

app_name = "lifeevents"
urlpatterns = paths(
    pages.EventList,
    pages.Notices,
    pages.ReadNotice,
    pages.SettleItem,
    pages.RecordDeath,
    pages.RecordMove,
    pages.RecordInstitution,
    pages.RecordHospital,
    pages.RecordHome,
    pages.EventDetail,
    pages.WithdrawEvent,
)
