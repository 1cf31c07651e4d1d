from sangyu.ui.pages import paths

from . import pages, pages_acts, pages_bulk, pages_health, pages_held, pages_lists

NAV = pages_lists.NAV
app_name = "people"
urlpatterns = paths(
    pages.PersonList,
    pages.NewPerson,
    pages_bulk.DivideArea,
    pages.RosterPage,
    pages_held.HeldList,
    pages_held.Decide,
    pages.PersonDetail,
    pages.EditPerson,
    pages.RevealId,
    pages.RevealPhone,
    pages.RevealContact,
    pages_acts.RecordFact,
    pages_acts.EndFact,
    pages_acts.AddContact,
    pages_acts.EditContact,
    pages_acts.RemoveContact,
    pages_acts.Household,
    pages_acts.GiveConsent,
    pages_acts.WithdrawConsent,
    pages_health.NoteHealth,
    pages_health.EndHealth,
    pages_health.HealthUpload,
    pages_acts.WriteNote,
    pages_acts.OpenNotes,
    pages_acts.CloseNote,
    pages_acts.FamilyAccess,
    pages_lists.EndingTags,
    pages_lists.DifficultPage,
)
