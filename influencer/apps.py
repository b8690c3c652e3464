"""The project itself: commands and the ground floor."""

from django.apps import AppConfig


class InfluencerConfig(AppConfig):
    name = "influencer"
