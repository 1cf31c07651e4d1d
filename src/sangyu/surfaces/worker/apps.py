from django.apps import AppConfig


class WorkerConfig(AppConfig):
    name = "sangyu.surfaces.worker"
    label = "worker"
    verbose_name = "Worker's phone"
