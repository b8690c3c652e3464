"""Trainings in the admin, to look at: they begin and end through the services."""

from __future__ import annotations

from django.contrib import admin

from characters.admin import OfCharacter
from characters.training.models import Training
from influencer.jobs.admin import LookOnly


@admin.register(Training)
class TrainingAdmin(LookOnly, OfCharacter):
    list_display = ("id", "character", "version", "state", "base_model", "lora", "created_at", "finished_at")
    list_filter = ("state", "family", "sandbox")
    search_fields = ("id", "name", "lora", "base_model", "trigger_word")
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    exclude = ("images",)
