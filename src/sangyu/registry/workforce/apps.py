from django.apps import AppConfig


class WorkforceConfig(AppConfig):
    name = "sangyu.registry.workforce"
    label = "workforce"
    verbose_name = "Workforce"
