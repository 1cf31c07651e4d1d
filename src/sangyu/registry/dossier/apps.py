from django.apps import AppConfig


class DossierConfig(AppConfig):
    name = "sangyu.registry.dossier"
    label = "dossier"
    verbose_name = "Dossier"
