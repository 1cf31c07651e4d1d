from django.apps import AppConfig


class EmergenciesConfig(AppConfig):
    name = "sangyu.care.emergencies"
    label = "emergencies"
    verbose_name = "Emergencies"
