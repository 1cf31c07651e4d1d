"""What several screens of emergencies share."""

from django.utils import timezone

from sangyu.ui.pages import FormPage


def now_too(form) -> dict:
    """What the form says, and when it was sent."""
    return {**form.cleaned_data, "now": timezone.now()}


class PlaceForm(FormPage):
    """A form for people and areas of the actor."""

    def form_kwargs(self) -> dict:
        return {"actor": self.actor}

    def arguments(self, form) -> dict:
        return now_too(form)
