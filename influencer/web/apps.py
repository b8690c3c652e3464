"""Shared HTTP: the frame of every page, sign-in, tokens, the JSON endpoint."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "influencer.web"
    label = "web"
    verbose_name = "Access"
