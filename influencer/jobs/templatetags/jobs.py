"""`{% load jobs %}`: a job, its steps and its times for templates."""

from __future__ import annotations

from django import template

from influencer.jobs import wording
from influencer.jobs.models import Job, StepState

register = template.Library()

STEP_ICONS = {
    StepState.PENDING: ("circle-dashed", "soft"),
    StepState.RUNNING: ("loader-circle", "live"),
    StepState.WAITING: ("clock", "soft"),
    StepState.SUCCEEDED: ("circle-check", "ok"),
    StepState.FAILED: ("circle-x", "bad"),
    StepState.CANCELLED: ("circle-x", "soft"),
    StepState.SKIPPED: ("circle-dashed", "soft"),
}


@register.filter
def shown(job: Job) -> wording.Shown:
    """`{% with it=job|shown %}`: what the `.job` component shows."""
    return wording.shown(job)


@register.filter
def job_chip(job: Job) -> tuple[str, str, str]:
    return wording.chip_of(job)


@register.filter
def uncapped(label: str) -> str:
    """A label in the middle of a line: "Image" without its capital, "LoRA training" as it is."""
    first = label.split(" ")[0]
    return label if first[1:] != first[1:].lower() else label[:1].lower() + label[1:]


@register.filter
def icon_css(tone: str) -> str:
    return f"icon {tone}"


@register.filter
def step_icon(state: str) -> str:
    return STEP_ICONS[StepState(state)][0]


@register.filter
def step_tone(state: str) -> str:
    return f"icon {STEP_ICONS[StepState(state)][1]}"


@register.filter
def duration(seconds: float | None) -> str:
    return wording.duration(seconds)
