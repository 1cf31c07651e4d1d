from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "sangyu.surfaces.desk"
    label = "desk"
    verbose_name = "Emergency desk"

    def ready(self) -> None:
        from sangyu.kernel import live

        # The push process names wearers (masked): not for everybody who is signed in.
        live.guard("signals.alarm", "emergencies.handle")
