from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "sangyu.care.policies"
    label = "policies"
    verbose_name = "Policies"

    def ready(self) -> None:
        from sangyu.registry.documents.selectors import register_use

        from .selectors import uses_of_document

        register_use(uses_of_document)
