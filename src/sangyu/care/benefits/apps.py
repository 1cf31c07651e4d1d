from django.apps import AppConfig


class BenefitsConfig(AppConfig):
    name = "sangyu.care.benefits"
    label = "benefits"
    verbose_name = "Benefits"

    def ready(self) -> None:
        from sangyu.care.policies.selectors import register_funds

        from . import budgets, checks, imports  # noqa: F401  registers them

        register_funds(budgets.budgets)
