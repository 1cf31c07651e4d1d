from django.apps import AppConfig


class FamilyConfig(AppConfig):
    name = "sangyu.surfaces.family"
    label = "family"
    verbose_name = "Elder and family"
