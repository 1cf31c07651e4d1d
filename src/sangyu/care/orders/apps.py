from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "sangyu.care.orders"
    label = "orders"
    verbose_name = "Orders"

    def ready(self) -> None:
        from . import handlers  # noqa: F401  registers the event handlers
