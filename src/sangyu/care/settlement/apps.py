from django.apps import AppConfig


class SettlementConfig(AppConfig):
    name = "sangyu.care.settlement"
    label = "settlement"
    verbose_name = "Settlement"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers them
