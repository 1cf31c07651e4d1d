from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sangyu.registry.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from sangyu.ui.context import provide

        from .roles import all_roles

        provide("role_label", lambda actor: role.label if (role := all_roles().get(actor.role)) else "")
