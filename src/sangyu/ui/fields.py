"""Form fields that several rooms use."""

from django import forms


class YuanField(forms.DecimalField):
    """Yuan on the screen, fen in ``cleaned_data``."""

    def __init__(self, *, min_value=0, **kwargs) -> None:
        super().__init__(min_value=min_value, max_digits=12, decimal_places=2, **kwargs)

    def clean(self, value):
        found = super().clean(value)
        return None if found is None else int(found * 100)

    def prepare_value(self, value):
        return f"{value / 100:.2f}" if isinstance(value, int) else value
