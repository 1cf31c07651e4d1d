"""The yardstick: a view with one primary-key query under the same middleware and scope, beside the platform's pages."""

from django.http import HttpResponse
from django.urls import path

from sangyu.registry.people.models import Person
from sangyu.runtime.urls import handler400, handler403, handler404, handler500  # noqa: F401
from sangyu.runtime.urls import urlpatterns as platform


def bare(request, pk: int) -> HttpResponse:
    """One row by its key."""
    return HttpResponse(Person.objects.values_list("name", flat=True).get(pk=pk))


urlpatterns = [path("bare/<int:pk>/", bare), *platform]
