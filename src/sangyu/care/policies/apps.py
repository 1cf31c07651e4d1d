from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    name = "sangyu.care.policies"
    label = "policies"
    verbose_name = "Policies"
