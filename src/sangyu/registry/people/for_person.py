"""A form of another room about one elder."""

from django.urls import reverse
from django.utils.translation import gettext as _

from sangyu.ui.pages import FormPage

from . import selectors


class ForPerson(FormPage):
    """A form about the elder ``<int:pk>`` (``self.person``); returns to ``back``, a page of the elder's file."""

    back = "casefile:page"

    def check(self, request) -> None:
        super().check(request)
        self.person = selectors.get_person(self.actor, self.kwargs["pk"])

    def get_title(self) -> str:
        return f"{self.title}：{self.person.name}"

    def breadcrumbs(self) -> list:
        return [(_("Elders"), reverse("people:list")), (self.person.name, self.success_url())]

    def arguments(self, form) -> dict:
        return {**form.cleaned_data, "person_id": self.person.pk}

    def success_url(self, result=None) -> str:
        return reverse(self.back, args=[self.person.pk])
