from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "sangyu.care.dispatch"
    label = "dispatch"
    verbose_name = "Dispatch"
