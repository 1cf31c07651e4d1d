from django.apps import AppConfig


class BureauConfig(AppConfig):
    name = "sangyu.surfaces.bureau"
    label = "bureau"
    verbose_name = "Bureau home"

    def ready(self) -> None:
        from sangyu.ui.context import provide

        from .work import waiting_for

        provide("todo_count", waiting_for)
