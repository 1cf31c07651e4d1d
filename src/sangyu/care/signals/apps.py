from django.apps import AppConfig


class SignalsConfig(AppConfig):
    name = "sangyu.care.signals"
    label = "signals"
    verbose_name = "Signals"

    def ready(self) -> None:
        from . import handlers  # noqa: F401  registers event handlers
