from sangyu.ui.pages import paths

from . import pages, pages_acts

app_name = "people"
urlpatterns = paths(
    pages.PersonList,
    pages.NewPerson,
    pages.RosterPage,
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
    pages_acts.CheckFile,
    pages_acts.RecordDeath,
    pages_acts.RevokeDeath,
    pages_acts.Move,
    pages_acts.Admit,
    pages_acts.Discharge,
    pages_acts.GuardedNotes,
    pages_acts.WriteNote,
)
