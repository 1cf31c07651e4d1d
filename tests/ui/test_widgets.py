"""The short way of drawing widgets gives what Django's templates give."""

import re

from django import forms
from django.forms.renderers import DjangoTemplates

from sangyu.ui.widgets import Renderer


class Sample(forms.Form):
    text = forms.CharField(max_length=9, initial='<"&中文>', help_text="x")
    number = forms.IntegerField(min_value=0, initial=7)
    day = forms.DateField(required=False)
    hidden = forms.CharField(widget=forms.HiddenInput, initial="a&b")
    word = forms.CharField(widget=forms.PasswordInput)
    one = forms.ChoiceField(choices=[("", "<全部>"), ("a", "甲"), ("组", [("b", "乙'"), ("c", "丙&")])], initial="b")
    several = forms.MultipleChoiceField(choices=[("a", "甲"), ("b", "乙")], initial=["b"])
    maybe = forms.NullBooleanField()
    check = forms.BooleanField()
    long = forms.CharField(widget=forms.Textarea, initial="x</textarea>")


def drawn(renderer) -> dict[str, str]:
    form = Sample(renderer=renderer)
    return {name: re.sub(r"\s+", " ", str(form[name])).replace("> <", "><") for name in form.fields}


def test_every_widget_looks_as_django_draws_it():
    assert drawn(Renderer()) == drawn(DjangoTemplates())
