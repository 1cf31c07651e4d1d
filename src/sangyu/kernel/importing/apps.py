from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ImportingConfig(AppConfig):
    name = "sangyu.kernel.importing"
    label = "importing"
    verbose_name = "Imports"

    def ready(self) -> None:
        autodiscover_modules("imports")
