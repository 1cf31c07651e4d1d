from django.apps import AppConfig


class FacilitiesConfig(AppConfig):
    name = "sangyu.registry.facilities"
    label = "facilities"
    verbose_name = "Facilities"

    def ready(self) -> None:
        from . import handlers, imports  # noqa: F401  registers event handlers and imports
