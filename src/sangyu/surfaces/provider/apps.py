from django.apps import AppConfig


class ProviderConfig(AppConfig):
    name = "sangyu.surfaces.provider"
    label = "provider"
    verbose_name = "Provider's desk"
