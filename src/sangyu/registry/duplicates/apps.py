from django.apps import AppConfig


class DuplicatesConfig(AppConfig):
    name = "sangyu.registry.duplicates"
    label = "duplicates"
    verbose_name = "Duplicates"

    def ready(self) -> None:
        from . import handlers  # noqa: F401  registers the event handlers
