"""List, show, add, edit, pause, run and delete tasks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import CommandParser

from characters import commands
from influencer.errors import Conflict, Invalid
from influencer.jobs.models import iso
from influencer.jsondb.values import read_moment
from scheduling import attending, cron, hand, listing, payload, review, runs, services, typed
from scheduling.hand import Started
from scheduling.listing import Row
from scheduling.models import Approval, MissedPolicy, Task, TaskType

VERBS = {
    "list": "every task, with its next and last run",
    "show": "one task with everything in it",
    "add": "add a task",
    "edit": "change a task",
    "pause": "pause a task",
    "resume": "let a paused task run again",
    "delete": "delete a task; its history is kept",
    "run": "run one task now, or --all active ones",
    "history": "what became of the latest runs",
    "preview": "the next times of a schedule",
    "approve": "let a run that waits for review go out",
    "reject": "end a run that waits for review",
    "run-missed": "make up for a missed run, or --all",
    "skip-missed": "leave a missed run out",
}
ON_A_TASK = ("show", "edit", "pause", "resume", "delete")
# Options of add and edit, and the key each stands for.
FIELDS = {
    "type": ("type", ", ".join(TaskType.values)),
    "schedule": ("schedule", "five cron fields, or an interval like 6h"),
    "at": ("runAt", "once, instead of a schedule: 2027-05-14T15:00"),
    "timezone": ("timezone", "an IANA name; without it the character's"),
    "missed-policy": ("missedPolicy", ", ".join(MissedPolicy.values)),
    "late-hours": ("lateHours", "how late a missed run may be"),
    "approval": ("approval", ", ".join(Approval.values)),
}


class Command(commands.Command):
    help = "List, add, edit, pause, run and delete tasks: `task add Luna --type generate_only --schedule 6h`."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="|".join(VERBS))
        made = {name: verbs.add_parser(name, help=words) for name, words in VERBS.items()}
        for name in ON_A_TASK:
            made[name].add_argument("task", help="the task's id")
        for name in ("run", "history"):
            made[name].add_argument("task", nargs="?", default="", help="the task's id")
        for name in ("run", "run-missed"):
            made[name].add_argument("--all", action="store_true", help="all of them")
            made[name].add_argument("--no-wait", action="store_true", help="leave it to the workers of `up`")
        made["run-missed"].add_argument("task", nargs="?", default="", help="the task's id")
        made["run-missed"].add_argument("due", nargs="?", default="", help="its time, as history shows it")
        made["skip-missed"].add_argument("task", help="the task's id")
        made["skip-missed"].add_argument("due", help="its time, as history shows it")
        made["delete"].add_argument("--yes", action="store_true", help="don't ask")
        made["add"].add_argument("character", nargs="?", default="", help="an id or name; none for a backup")
        made["edit"].add_argument("--character", help="an id, or a name only one character has")
        for name in ("add", "edit"):
            _add_fields(made[name])
        _add_words(made)
        for one in made.values():
            super().add_arguments(one)

    def handle(self, *args: Any, **options: Any) -> None:
        verb: Callable[[Mapping[str, Any]], None] = getattr(self, f"_{options['verb'].replace('-', '_')}")
        verb(options)

    def _list(self, options: Mapping[str, Any]) -> None:
        found = listing.rows(Task.objects.all())
        lines = commands.columns(map(_cells, found)) if found else ["No tasks. Add one with `task add`."]
        self.answer(options, [row.as_json() for row in found], lines)

    def _show(self, options: Mapping[str, Any]) -> None:
        self._answer_with(options, services.get(options["task"]))

    def _add(self, options: Mapping[str, Any]) -> None:
        body = _body(options)
        if options["character"]:
            body["characterId"] = commands.named(options["character"]).pk
        given = payload.read(body)
        form = given.form()
        if not form.is_valid():
            raise payload.form_problem(form)
        self._answer_with(options, services.add_task(form), "Added")

    def _edit(self, options: Mapping[str, Any]) -> None:
        task, body = services.get(options["task"]), _body(options)
        if options["character"]:
            body["characterId"] = commands.named(options["character"]).pk
        if not body:
            raise Invalid("Say what to change: an option of a field, or --config key=value.")
        given = payload.read(body)
        form = given.form(task)
        if not form.is_valid():
            raise payload.form_problem(form)
        self._answer_with(options, services.update_task(task.pk, form, config=given.config), "Saved")

    def _pause(self, options: Mapping[str, Any]) -> None:
        self._answer_with(options, services.toggle_task(options["task"], active=False), "Paused")

    def _resume(self, options: Mapping[str, Any]) -> None:
        self._answer_with(options, services.toggle_task(options["task"], active=True), "Resumed")

    def _delete(self, options: Mapping[str, Any]) -> None:
        task = services.get(options["task"])
        if not options["yes"]:
            _ask(task)
        services.delete_task(task.pk)
        self.answer(options, {}, [f"Deleted {task}. Its history is kept."])

    def _run(self, options: Mapping[str, Any]) -> None:
        if bool(options["task"]) == options["all"]:
            raise Invalid("Name a task, or say --all.")
        self._answer_started(options, hand.run_now(options["task"]))

    def _run_missed(self, options: Mapping[str, Any]) -> None:
        if options["all"]:
            self._answer_started(options, hand.run_all_missed())
        elif not options["task"]:
            raise Invalid("Name a task and the time of its run, or say --all.")
        else:
            self._answer_started(options, [hand.run_missed(options["task"], _moment(options["due"]))])

    def _skip_missed(self, options: Mapping[str, Any]) -> None:
        row = hand.skip_missed(options["task"], _moment(options["due"]))
        self.answer(options, runs.with_jobs([row])[0].as_json(), ["Left out."])

    def _history(self, options: Mapping[str, Any]) -> None:
        found = runs.history(options["task"])
        rows = [(run.fired.task_id, iso(run.fired.due), run.result, run.why) for run in found]
        self.answer(
            options, [run.as_json() for run in found], commands.columns(rows) if rows else ["No runs."]
        )

    def _preview(self, options: Mapping[str, Any]) -> None:
        found = [iso(due) for due in services.preview(options["schedule"], options["zone"], options["count"])]
        words = cron.describe(options["schedule"])
        self.answer(options, {"next": found, "description": words}, [words, *map(str, found)])

    def _approve(self, options: Mapping[str, Any]) -> None:
        job = review.approve(options["job"], caption=options["caption"], alt_text=options["alt_text"])
        attending.see_through([job.pk] if not options["no_wait"] else [], self.tell)
        self.answer(options, job.as_json(), ["Approved."])

    def _reject(self, options: Mapping[str, Any]) -> None:
        self.answer(options, review.reject(options["job"]).as_json(), ["Rejected."])

    def _answer_with(self, options: Mapping[str, Any], task: Task, verb: str = "") -> None:
        row = listing.rows([task])[0]
        lines = [f"{verb} {task.pk}: {row.description}." if verb else "  ".join(_cells(row))]
        self.answer(options, row.as_json(), lines)

    def _answer_started(self, options: Mapping[str, Any], started: list[Started]) -> None:
        if not options["no_wait"]:
            attending.see_through([one.job_id for one in started if one.job_id], self.tell)
        lines = [f"{one.task_id}  {one.job_id or one.why}" for one in started]
        self.answer(options, [one.as_json() for one in started], lines or ["No active task."])


def _add_fields(parser: CommandParser) -> None:
    for name, (key, words) in FIELDS.items():
        parser.add_argument(f"--{name}", dest=key, metavar="VALUE", help=words)
    pairs = "a key of the config, like prompt='by the sea' or postToTwitter=true; null takes it away"
    parser.add_argument("--config", action="append", default=[], metavar="KEY=VALUE", help=pairs)


def _add_words(made: Mapping[str, CommandParser]) -> None:
    made["preview"].add_argument("schedule")
    made["preview"].add_argument("--timezone", dest="zone", default="", metavar="ZONE")
    made["preview"].add_argument("--count", type=int, default=10)
    for name in ("approve", "reject"):
        made[name].add_argument("job", help="the run's job, as history --json shows it")
    made["approve"].add_argument("--caption", help="say this instead, on every platform")
    made["approve"].add_argument("--alt-text", help="say this instead of the image's alt text")
    made["approve"].add_argument("--no-wait", action="store_true", help="leave it to the workers of `up`")


def _body(options: Mapping[str, Any]) -> dict[str, Any]:
    body = typed.body_of({key: options[key] for key, _ in FIELDS.values()}, options["config"])
    commands.check_texts({**body, **body.get("config", {})})
    return body


def _cells(row: Row) -> list[str]:
    last = f"last {row.last.result}" if row.last else ""
    coming = f"next {iso(row.next_run)}" if row.next_run else "" if row.task.active else "paused"
    return [row.task.pk, row.character_name, row.task.get_type_display(), row.description, coming, last]


def _moment(text: str) -> Any:
    try:
        return read_moment(text)
    except ValueError:
        raise Invalid(f"“{text}” is no time; use one that `task history` shows.") from None


def _ask(task: Task) -> None:
    """Raises `Conflict` unless someone at the terminal says yes."""
    if not sys.stdin.isatty():
        raise Conflict("Nobody is there to ask. To delete the task, add --yes.", code="not_confirmed")
    if input(f"Delete {task}? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise Conflict("The task was not deleted.", code="not_confirmed")
