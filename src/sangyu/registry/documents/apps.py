from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "sangyu.registry.documents"
    label = "documents"
    verbose_name = "Policy library"
