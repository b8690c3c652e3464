"""Use cases of scheduled tasks."""

from __future__ import annotations

from characters.models import Character
from characters.samples import Sample
from influencer import jsondb
from scheduling.models import Task


def pause_tasks_of(character_id: str) -> None:
    """Pause what was planned for a character that is gone."""
    with jsondb.batch():
        for task in Task.objects.filter(character_id=character_id, active=True):
            task.active = False
            task.save()


def add_samples(character: Character, sample: Sample) -> None:
    """Plan the tasks of a sample character, paused: nothing fires that nobody asked for."""
    with jsondb.batch():
        for kind, schedule, config in sample.tasks:
            Task(
                character_id=character.pk, type=kind, schedule=schedule, active=False, config=config
            ).save()
