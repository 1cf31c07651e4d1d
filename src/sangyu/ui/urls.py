from .acts import NAV, BulkResult, BulkRuns, ExportLog, UndoBulk
from .background import CancelOperation, Download, LivePass, OperationDetail, OperationList
from .calendar import NAV as CALENDAR
from .calendar import CalendarList, CalendarNew, CalendarRemove, CalendarUpload
from .gallery import Gallery
from .pages import paths

NAV = [*NAV, *CALENDAR]
app_name = "ui"
PREFIX = "ui/"

__all__ = ["NAV"]

urlpatterns = paths(
    Gallery,
    OperationList,
    OperationDetail,
    CancelOperation,
    Download,
    LivePass,
    BulkRuns,
    BulkResult,
    UndoBulk,
    ExportLog,
    CalendarList,
    CalendarNew,
    CalendarUpload,
    CalendarRemove,
)
