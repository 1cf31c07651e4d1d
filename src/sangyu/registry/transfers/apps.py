from django.apps import AppConfig


class TransfersConfig(AppConfig):
    name = "sangyu.registry.transfers"
    label = "transfers"
    verbose_name = "Transfers"
