from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "sangyu.surfaces.api"
    label = "api"
    verbose_name = "HTTP API"
