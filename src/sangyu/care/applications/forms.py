"""Forms of the applications room."""

import re

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from sangyu.ui.fields import YuanField

from . import selectors
from .enums import Form, HoldReason, Vote
from .panels import Member


def policy_choices(path: str, *, only_on_application: bool = False) -> list[tuple[str, str]]:
    """Policies of the area today."""
    found = selectors.offers(path, timezone.localdate())
    return [(o.code, o.name) for o in found if o.on_application or not only_on_application]


class _ForPath(forms.Form):
    """A form that offers the policies of the elder's area."""

    only_on_application = False
    blank = ""

    def __init__(self, *args, path: str, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        choices = policy_choices(path, only_on_application=self.only_on_application)
        self.fields["policy_code"].choices = [("", self.blank or "—"), *choices]


class ApplyForm(_ForPath):
    only_on_application = True
    policy_code = forms.ChoiceField(label=_("Policy"))
    applied_on = forms.DateField(label=_("Applied on"), initial=timezone.localdate)
    text = forms.CharField(label=_("What was said"), max_length=500, required=False, widget=forms.Textarea({"rows": 3}))


class BodyField(forms.ChoiceField):
    """A body by kind and number; its form cleans to ``body_kind`` and ``body_id`` by ``split``."""

    @staticmethod
    def split(cleaned: dict) -> dict:
        if body := cleaned.pop("body", ""):
            kind, _dash, pk = body.partition("-")
            cleaned |= {"body_kind": kind, "body_id": int(pk)}
        return cleaned


class _ForBody(forms.Form):
    """``body``: kind and number of one that the actor may act for; ``policy_code``: what is given to bodies in the area."""

    blank = ""

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        found = selectors.concerned_bodies(actor, timezone.localdate())
        self.fields["body"].choices = [(f"{b.kind}-{b.id}", b.name) for b, _offers in found]
        known = {o.code: o.name for _body, offers in found for o in offers}
        self.fields["policy_code"].choices = [("", self.blank or "—"), *sorted(known.items(), key=lambda x: x[1])]

    def clean(self) -> dict:
        return BodyField.split(super().clean())


class BodyObjectForm(_ForBody):
    body = BodyField(label=_("Who objects"))
    policy_code = forms.ChoiceField(label=_("Policy"))
    month = forms.DateField(label=_("Month"), required=False, help_text=_("Any day of it."))
    text = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea({"rows": 3}))


class BodyApplyForm(forms.Form):
    """``body``: kind and number of what applies; its policies are asked for with it."""

    body = BodyField(label=_("Applicant"))
    policy_code = forms.ChoiceField(label=_("Policy"))
    applied_on = forms.DateField(label=_("Applied on"), initial=timezone.localdate)
    text = forms.CharField(label=_("What was said"), max_length=500, required=False, widget=forms.Textarea({"rows": 3}))

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        found = selectors.applicants(actor, timezone.localdate())
        self.fields["body"].choices = [(f"{b.kind}-{b.id}", b.name) for b, _offers in found]
        offered = {o.code: o.name for _body, offers in found for o in offers}
        self.fields["policy_code"].choices = sorted(offered.items(), key=lambda x: x[1])

    def clean(self) -> dict:
        return BodyField.split(super().clean())


class AccountForm(forms.Form):
    """A bank account."""

    holder = forms.CharField(label=_("Account holder"), max_length=50)
    number = forms.CharField(
        label=_("Account number"),
        max_length=40,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    bank = forms.CharField(label=_("Bank"), max_length=60)


class BodyPayeeForm(AccountForm):
    body = BodyField(label=_("Whose account"))
    reason = forms.CharField(label=_("Why"), max_length=300, required=False)
    field_order = ["body"]

    def __init__(self, *args, actor, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body"].choices = [(f"{b.kind}-{b.id}", b.name) for b in selectors.own_bodies(actor)]

    def clean(self) -> dict:
        return BodyField.split(super().clean())


class MembersField(forms.CharField):
    """A member a line: name, post, vote, with blanks, commas or tabs between; cleans to a list of ``Member``."""

    def clean(self, value) -> list[Member]:
        labels = {re.split(r"[（(]", str(label))[0].strip().casefold(): vote for vote, label in Vote.choices}
        votes = labels | {v: v for v in Vote.values}
        found = []
        for n, line in enumerate((super().clean(value) or "").splitlines(), start=1):
            words = re.split(r"[\s,，、;；]+", line.strip())
            if words == [""]:
                continue
            if len(words) < 2 or words[-1].casefold() not in votes:
                raise forms.ValidationError(
                    _("Line %(n)s: a name, a post and a vote (%(votes)s)."),
                    params={"n": n, "votes": " / ".join(labels)},
                )
            found.append(Member(words[0][:50], " ".join(words[1:-1])[:100], votes[words[-1].casefold()]))
        return found


class DecideForm(forms.Form):
    """``panel``: the policy leaves the amount to a panel, whose day, members and minutes are asked for too."""

    amount = YuanField(label=_("Decided amount (yuan)"))
    document = forms.CharField(label=_("Document of the decision"), max_length=100)
    held_on = forms.DateField(label=_("Panel held on"))
    members = MembersField(
        label=_("Members of the panel"),
        widget=forms.Textarea({"rows": 6}),
        help_text=_("One a line: name, post, vote (agrees, against, abstains, withdraws). The first one leads."),
    )
    file = forms.FileField(
        label=_("Panel minutes"), required=False,
        widget=forms.ClearableFileInput({"accept": "image/jpeg,image/png,image/webp,application/pdf"}),
    )  # fmt: skip

    def __init__(self, *args, panel: bool, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not panel:
            for name in ("held_on", "members", "file"):
                del self.fields[name]


class ObjectForm(_ForPath):
    policy_code = forms.ChoiceField(label=_("Policy"))
    month = forms.DateField(label=_("Month"), required=False, help_text=_("Any day of it."))
    text = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea({"rows": 3}))


class _Hold(forms.Form):
    policy_code = forms.ChoiceField(label=_("Policy"), required=False)
    kind = forms.ChoiceField(label=_("Reason"), choices=HoldReason.choices)
    valid_from = forms.DateField(label=_("From"), initial=timezone.localdate)
    valid_to = forms.DateField(
        label=_("Goes on from"), required=False, help_text=_("Empty = until somebody resumes it.")
    )
    reason = forms.CharField(label=_("Why"), max_length=300, widget=forms.Textarea({"rows": 2}))
    field_order = ["policy_code", "kind", "valid_from", "valid_to", "reason"]


class HoldForm(_ForPath, _Hold):
    blank = _("All policies")


class BodyHoldForm(_ForBody, _Hold):
    blank = _("All policies")
    body = BodyField(label=_("Whose payments"))
    field_order = ["body", *_Hold.field_order]


class DeliveryForm(_ForPath):
    policy_code = forms.ChoiceField(label=_("Policy"))
    form = forms.ChoiceField(label=_("Form"), choices=Form.choices)
    valid_from = forms.DateField(label=_("From"), help_text=_("The first day of a month."))
    source = forms.CharField(label=_("Source"), max_length=100)


class PayeeForm(AccountForm):
    is_proxy = forms.BooleanField(label=_("Somebody else's account"), required=False)
    relation = forms.CharField(label=_("Relation to the elder"), max_length=30, required=False)
    evidence = forms.FileField(
        label=_("Power of attorney"), required=False,
        widget=forms.ClearableFileInput({"accept": "image/jpeg,image/png,image/webp,application/pdf"}),
    )  # fmt: skip
    reason = forms.CharField(label=_("Why"), max_length=300, required=False)


class ApproveForm(forms.Form):
    reason = forms.CharField(label=_("Remark"), max_length=300, required=False)


class PaperForm(forms.Form):
    asked = forms.ChoiceField(label=_("Evidence"))
    file = forms.FileField(
        label=_("Photograph or PDF"),
        widget=forms.ClearableFileInput({"accept": "image/jpeg,image/png,image/webp,application/pdf"}),
    )

    def __init__(self, *args, asked: list[str], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["asked"].choices = [(a, a) for a in asked] or [("其他", pgettext_lazy("applications", "Other"))]


class AppealForm(forms.Form):
    text = forms.CharField(label=_("Why"), max_length=500, widget=forms.Textarea({"rows": 3}))


class ResumeForm(forms.Form):
    on = forms.DateField(label=_("Goes on from"), initial=timezone.localdate)
    reason = forms.CharField(label=_("Why"), max_length=300)
