from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "sangyu.ui"
    label = "ui"
    verbose_name = "Pages"
    default_auto_field = "django.db.models.BigAutoField"
