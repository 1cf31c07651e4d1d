from django.apps import AppConfig


class RegionsConfig(AppConfig):
    name = "sangyu.registry.regions"
    label = "regions"
    verbose_name = "Regions"
