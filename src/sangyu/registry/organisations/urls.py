from sangyu.ui.pages import paths

from . import contract_pages, pages

app_name = "organisations"
urlpatterns = paths(
    pages.OrganisationList,
    pages.OrganisationNew,
    pages.OrganisationUpload,
    pages.OrganisationDetail,
    pages.OrganisationEdit,
    pages.LicenceNew,
    pages.LicencePaper,
    pages.LicenceEnd,
    pages.CapabilityNew,
    pages.CapabilityEnd,
    pages.ModeNew,
    pages.ContactNew,
    pages.Approve,
    pages.Suspend,
    pages.Resume,
    pages.End,
    contract_pages.ContractList,
    contract_pages.PriceUpload,
    contract_pages.ContractDetail,
    contract_pages.ContractNew,
    contract_pages.ContractEdit,
    contract_pages.ContractPaper,
    contract_pages.ContractSign,
    contract_pages.ContractEnd,
    contract_pages.ContractPrice,
    contract_pages.PriceNew,
    contract_pages.PriceEnd,
)
