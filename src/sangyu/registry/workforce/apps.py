from django.apps import AppConfig


class WorkforceConfig(AppConfig):
    name = "sangyu.registry.workforce"
    label = "workforce"
    verbose_name = "Workforce"

    def ready(self) -> None:
        from sangyu.kernel.actor import Audience
        from sangyu.registry.accounts.services import register_subject

        from .models import Worker

        register_subject(
            Audience.WORKER, lambda pk: Worker.objects.filter(pk=pk).values_list("path", flat=True).first()
        )
