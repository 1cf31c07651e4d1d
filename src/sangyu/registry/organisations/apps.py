from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "sangyu.registry.organisations"
    label = "organisations"
    verbose_name = "Organisations"

    def ready(self) -> None:
        from sangyu.kernel.actor import Audience
        from sangyu.registry.accounts.services import register_subject

        from .models import Organisation

        register_subject(
            Audience.PROVIDER, lambda pk: Organisation.objects.filter(pk=pk).values_list("path", flat=True).first()
        )
