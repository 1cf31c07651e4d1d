"""Addresses of the API: ``/api/v1/…``, its OpenAPI document, the page that lists the operations."""

from django.urls import path, re_path

from . import pages
from .main import api

app_name = "api"
PREFIX = "api/"
urlpatterns = [
    path("v1/openapi.json", pages.openapi, name="openapi"),
    pages.Operations.as_path(),
    path("v1/", api.urls),
    re_path(r"^.*$", pages.unknown, name="unknown"),
]
