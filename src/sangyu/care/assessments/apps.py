from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    name = "sangyu.care.assessments"
    label = "assessments"
    verbose_name = "Assessments"

    def ready(self) -> None:
        from . import imports, tasks  # noqa: F401  registers the import and the handlers
