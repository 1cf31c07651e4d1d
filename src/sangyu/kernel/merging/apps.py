from django.apps import AppConfig


class MergingConfig(AppConfig):
    name = "sangyu.kernel.merging"
    label = "merging"
    verbose_name = "Merging"
