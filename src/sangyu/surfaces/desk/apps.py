from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "sangyu.surfaces.desk"
    label = "desk"
    verbose_name = "Emergency desk"
