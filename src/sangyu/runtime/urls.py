"""Every page of the platform, assembled from the rooms' own ``urls`` modules."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.urls import include, path

from sangyu.ui.home import Home

from .health import health

urlpatterns = [Home.as_path(), path("healthz", health), path("i18n/", include("django.conf.urls.i18n"))]

for _config in apps.get_app_configs():
    if _config.name.startswith("sangyu.") and find_spec(f"{_config.name}.urls"):
        _prefix = getattr(import_module(f"{_config.name}.urls"), "PREFIX", f"{_config.label}/")
        urlpatterns.append(path(_prefix, include(f"{_config.name}.urls")))

handler400 = "sangyu.ui.answers.bad_request"
handler403 = "sangyu.ui.answers.permission_denied"
handler404 = "sangyu.ui.answers.page_not_found"
handler500 = "sangyu.ui.answers.server_error"
