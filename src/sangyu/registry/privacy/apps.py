from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "sangyu.registry.privacy"
    label = "privacy"
    verbose_name = "Privacy"
