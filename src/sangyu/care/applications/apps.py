from django.apps import AppConfig


class ApplicationsConfig(AppConfig):
    name = "sangyu.care.applications"
    label = "applications"
    verbose_name = "Applications"
