"""What the Monitoring tab is asked to show."""

from __future__ import annotations

from django import forms

from influencer.web.filters import Filter
from monitoring.models import Kind


class JobFilter(Filter):
    STATE = (
        ("", "All"),
        ("running", "Running"),
        ("waiting", "Waiting"),
        ("failed", "Failed"),
        ("done", "Done"),
    )

    state = forms.ChoiceField(required=False, choices=STATE)
    kind = forms.CharField(required=False, max_length=60)
    character = forms.CharField(required=False, max_length=120)
    q = forms.CharField(required=False, max_length=200)


class ChartFilter(Filter):
    PERIOD = (("24h", "24 h"), ("", "7 d"), ("30d", "30 d"))

    period = forms.ChoiceField(required=False, choices=PERIOD)


class EventFilter(Filter):
    LEVEL = (("", "Everything"), ("warn", "Warnings and errors"), ("bad", "Errors"))
    ABOUT = (("", "Every kind"), *((kind.value, kind.label.capitalize()) for kind in Kind))

    level = forms.ChoiceField(required=False, choices=LEVEL)
    about = forms.ChoiceField(required=False, choices=ABOUT)
