from django.apps import AppConfig


class ScreeningConfig(AppConfig):
    name = "sangyu.care.screening"
    label = "screening"
    verbose_name = "Screening"

    def ready(self) -> None:
        from . import imports, tasks  # noqa: F401  registers the import and the handlers
