from django.apps import AppConfig


class SignalsConfig(AppConfig):
    name = "sangyu.care.signals"
    label = "signals"
    verbose_name = "Signals"
