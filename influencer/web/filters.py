"""What a list is asked to show: search, filters and sort, from the address."""

from __future__ import annotations

from django import forms


class Filter(forms.Form):
    """Every field is optional, and a value that fits none counts as none."""

    def values(self) -> dict[str, str]:
        self.is_valid()
        return {name: str(self.cleaned_data.get(name, "") or "") for name in self.fields}
