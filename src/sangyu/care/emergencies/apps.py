from django.apps import AppConfig


class EmergenciesConfig(AppConfig):
    name = "sangyu.care.emergencies"
    label = "emergencies"
    verbose_name = "Emergencies"

    def ready(self) -> None:
        from . import tasks  # noqa: F401  registers the delivery of notices
