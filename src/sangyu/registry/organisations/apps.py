from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "sangyu.registry.organisations"
    label = "organisations"
    verbose_name = "Organisations"
