from django.apps import AppConfig


class HotlineConfig(AppConfig):
    name = "sangyu.surfaces.hotline"
    label = "hotline"
    verbose_name = "Hotline desk"
