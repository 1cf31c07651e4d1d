from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "sangyu.registry.people"
    label = "people"
    verbose_name = "People"
