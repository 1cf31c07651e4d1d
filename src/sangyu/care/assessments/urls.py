"""Addresses of the assessments room."""

from sangyu.ui.pages import paths

from .pages import acts, form, lists, public, registers

app_name = "assessments"
urlpatterns = paths(
    lists.AssessmentList, lists.DueList, lists.Notice, lists.Mine, lists.Demand, lists.EnterHistory, form.Shell,
    registers.AssessorList, registers.NewAssessor, registers.EndAssessor, registers.CommissionList, registers.NewCommission,
    registers.CommissionDetail, registers.DrawSample, registers.DrawReport, registers.Scales, registers.Scale,
    acts.Apply, acts.AssessmentDetail, acts.Assign, acts.TakeBack, acts.Refuse, acts.Withdraw, acts.SendBack, acts.Review,
    acts.Publish, acts.Decide, acts.Object, acts.ChooseSetting, acts.Report, form.SheetForm, form.Finish, form.Choose,
    public.PublicNotices, public.PublicResults,
)  # fmt: skip
