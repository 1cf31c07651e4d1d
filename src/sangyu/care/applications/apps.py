from django.apps import AppConfig


class ApplicationsConfig(AppConfig):
    name = "sangyu.care.applications"
    label = "applications"
    verbose_name = "Applications"

    def ready(self) -> None:
        from . import terms

        terms.register()
