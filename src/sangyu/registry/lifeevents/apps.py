from django.apps import AppConfig


class LifeEventsConfig(AppConfig):
    name = "sangyu.registry.lifeevents"
    label = "lifeevents"
    verbose_name = "Life events"

    def ready(self) -> None:
        from . import handlers  # noqa: F401
