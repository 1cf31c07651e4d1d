from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "sangyu.registry.devices"
    label = "devices"
    verbose_name = "Devices"

    def ready(self) -> None:
        from . import handlers, imports  # noqa: F401  registers event handlers and imports
