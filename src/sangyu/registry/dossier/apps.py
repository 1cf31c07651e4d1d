from django.apps import AppConfig


class DossierConfig(AppConfig):
    name = "sangyu.registry.dossier"
    label = "dossier"
    verbose_name = "Dossier"

    def ready(self) -> None:
        from sangyu.ui.pages.bulk import offer

        from .bulk_assign import ASSIGN

        offer("sangyu.registry.people.PersonList", ASSIGN)
