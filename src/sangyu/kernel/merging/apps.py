from django.apps import AppConfig


class MergingConfig(AppConfig):
    name = "sangyu.kernel.merging"
    label = "merging"
    verbose_name = "Merging"

    def ready(self) -> None:
        from . import checks  # noqa: F401  registers them
