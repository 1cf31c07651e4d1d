from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class KernelConfig(AppConfig):
    name = "sangyu.kernel"
    label = "kernel"
    verbose_name = "Kernel"

    def ready(self) -> None:
        from . import lookups  # noqa: F401
        from .database_objects import install_after_migrate, install_extensions

        pre_migrate.connect(install_extensions, sender=self, dispatch_uid="kernel.extensions")
        post_migrate.connect(install_after_migrate, sender=self, dispatch_uid="kernel.database_objects")
