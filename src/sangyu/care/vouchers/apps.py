from django.apps import AppConfig


class VouchersConfig(AppConfig):
    name = "sangyu.care.vouchers"
    label = "vouchers"
    verbose_name = "Service vouchers"

    def ready(self) -> None:
        from . import checks, handlers  # noqa: F401  registers checks and event handlers
