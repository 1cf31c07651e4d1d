from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "sangyu.registry.catalogue"
    label = "catalogue"
    verbose_name = "Catalogue"
