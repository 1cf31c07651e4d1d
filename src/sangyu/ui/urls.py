from .background import CancelOperation, Download, LivePass, OperationDetail, OperationList
from .gallery import Gallery
from .pages import paths

app_name = "ui"
PREFIX = "ui/"

urlpatterns = paths(Gallery, OperationList, OperationDetail, CancelOperation, Download, LivePass)
