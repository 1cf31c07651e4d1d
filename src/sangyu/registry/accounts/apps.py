from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sangyu.registry.accounts"
    label = "accounts"
    verbose_name = "Accounts"
