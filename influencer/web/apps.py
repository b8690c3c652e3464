"""Shared HTTP: the frame of every page, sign-in, tokens, the JSON endpoint."""

from __future__ import annotations

from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import import_string


class WebConfig(AppConfig):
    name = "influencer.web"
    label = "web"
    verbose_name = "Access"

    def ready(self) -> None:
        # By name: it needs models, which can't be loaded before.
        hosts = import_string("influencer.web.hosts.AllowedHosts")
        settings.ALLOWED_HOSTS = hosts(settings.ALLOWED_HOSTS)
