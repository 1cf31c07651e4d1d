"""Addresses of the screening room."""

from sangyu.ui.pages import paths

from .pages import campaigns, visits

app_name = "screening"
urlpatterns = paths(
    campaigns.CampaignList, campaigns.NewCampaign, campaigns.EnterSheets, campaigns.Sheets, campaigns.OneSheet, visits.TaskList,
    visits.FollowUpList, visits.Mine, visits.TaskDetail, visits.Fill, campaigns.CampaignDetail, campaigns.EditCampaign,
    campaigns.StartCampaign, campaigns.CloseCampaign, campaigns.CancelCampaign, campaigns.AddElder, campaigns.Results,
)  # fmt: skip
