"""What a task does, in words: "generate and post to Instagram"."""

from __future__ import annotations

from typing import Any

from characters.publishing import accounts
from influencer.errors import Invalid
from influencer.jobs.models import Job
from scheduling import recipe
from scheduling.models import Approval, Task, TaskType
from scheduling.recipe import Recipe
from scheduling.words import joined

ICONS: dict[str, str] = {
    TaskType.GENERATE_ONLY: "sparkles",
    TaskType.WRITE_PROMPTS: "book-open",
    TaskType.TRAIN_LORA: "graduation-cap",
    TaskType.BACKUP: "package",
}


def of(task: Task) -> str:
    """What the task does. One whose settings can't be read is named by its type."""
    return said(task.type, task.config, review=task.approval != Approval.AUTO)


def of_job(job: Job) -> str:
    """What a run did, as it was asked for then."""
    if "type" in job.request:
        review = bool(job.request.get("review"))
        return said(str(job.request["type"]), job.request.get("config"), review=review)
    count = job.request.get("count")
    return f"write {_counted(count, 'prompt')}" if isinstance(count, int) else job.spec.label.lower()


def whose(task: Task, name: str = "") -> str:
    """Whose task it is, by the character's present name."""
    if task.type == TaskType.BACKUP:
        return "The data folder"
    return name or task.character_name or task.character_id or "No character"


def icon(task: Task) -> str:
    """The picture of what it does: an eye where a person looks first."""
    if task.type in ICONS:
        return ICONS[task.type]
    return "send" if task.approval == Approval.AUTO else "eye"


def said(kind: str, config: Any, *, review: bool = False) -> str:
    """The same for a type and its settings."""
    try:
        wanted = recipe.read(kind, config)
    except Invalid:
        return str(dict(TaskType.choices).get(kind, kind or "nothing"))
    if wanted.type == TaskType.WRITE_PROMPTS:
        return f"write {_counted(wanted.count, 'prompt')}"
    if wanted.type == TaskType.BACKUP:
        return "back up with all images" if (config or {}).get("media") is True else "back up"
    if wanted.type == TaskType.TRAIN_LORA:
        return str(wanted.type.label)
    return _posting(wanted, review=review)


def _posting(wanted: Recipe, *, review: bool) -> str:
    where = joined([accounts.NAMES[platform] for platform in wanted.platforms])
    if wanted.type == TaskType.POST_APPROVED:
        begun = "post an approved image"
        return f"{begun} to {where}{', after review' if review else ''}" if where else begun
    if not where:
        return f"generate {_counted(wanted.wish.count, 'image')}"
    return f"generate, wait for review, post to {where}" if review else f"generate and post to {where}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}s" if count != 1 else f"{'an' if noun == 'image' else 'a'} {noun}"
