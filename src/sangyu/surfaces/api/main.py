"""The API object: routers by room, one error schema."""

from ninja import NinjaAPI

from . import (
    agreements,
    applications,
    assessments,
    benefits,
    devices,
    emergencies,
    errors,
    facilities,
    filework,
    handed_over,
    money,
    orders,
    people,
    policies,
    registers,
    screening,
    signals,
    visits,
)

DESCRIPTION = (
    "Every step of home care from the need to the provider's statement. Amounts are whole fen (1/100 yuan), times are "
    "ISO 8601 with an offset, places are WGS-84. What lies outside the caller's scope is answered with 404."
)

api = NinjaAPI(
    title="Sangyu",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api_v1",
    docs_url=None,
    openapi_url=None,
)
errors.install(api)
for module in (
    registers,
    filework,
    people,
    handed_over,
    orders,
    visits,
    agreements,
    money,
    assessments,
    screening,
    facilities,
    applications,
    policies,
    benefits,
    devices,
    signals,
    emergencies,
):
    api.add_router("", module.router)
