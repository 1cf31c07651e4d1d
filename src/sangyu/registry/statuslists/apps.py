from django.apps import AppConfig


class StatusListsConfig(AppConfig):
    name = "sangyu.registry.statuslists"
    label = "statuslists"
    verbose_name = "Status lists"
