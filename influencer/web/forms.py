"""Sign-in and set-up."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.validators import UnicodeUsernameValidator

from influencer import effective
from influencer.errors import Invalid
from influencer.web import setup, zone


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": "User name or password is wrong. Capital letters count in both.",
        "inactive": "This account is switched off.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"


class SetupForm(forms.Form):
    """The owner's account, with the rules for passwords."""

    username = forms.CharField(
        label="User name",
        max_length=150,
        initial=setup.OWNER,
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        strip=False,
        help_text="At least 12 characters. A sentence works well.",
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password", "minlength": 12, "autofocus": True}
        ),
    )
    time_zone = forms.ChoiceField()
    samples = forms.BooleanField(label="Start with three sample characters", required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = zone.current().key
        if effective.locked("time_zone"):
            self.fields["time_zone"] = forms.CharField(label="Time zone", initial=here, disabled=True)
            return
        names = zone.names() if here in zone.names() else [here, *zone.names()]
        self.fields["time_zone"] = forms.ChoiceField(
            label="Time zone", choices=[(name, name.replace("_", " ")) for name in names], initial=here
        )

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if "password" in cleaned:
            try:
                setup.check_password(cleaned["password"], cleaned.get("username", ""))
            except Invalid as error:
                self.add_error("password", error.fields["password"])
        return cleaned
