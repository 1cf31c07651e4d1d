from django.apps import AppConfig


class CasefileConfig(AppConfig):
    name = "sangyu.surfaces.casefile"
    label = "casefile"
    verbose_name = "Casefile"
