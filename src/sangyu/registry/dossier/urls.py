from sangyu.ui.pages import paths

from . import pages

app_name = "dossier"
urlpatterns = paths(
    pages.DueList,
    pages.AddPaper,
    pages.WithdrawPaper,
    pages.RestorePaper,
    pages.CheckFile,
    pages.AssignCheck,
    pages.Card,
    pages.CardImage,
    pages.ReplaceCard,
)
