from sangyu.ui.pages import paths

from . import pages

app_name = "catalogue"
urlpatterns = paths(
    pages.ItemList,
    pages.ItemNew,
    pages.Load,
    pages.PackageList,
    pages.PackageDetail,
    pages.ItemDetail,
    pages.ItemEdit,
    pages.Withdraw,
)
