"""What `up` does before anything runs: lock, port, data, database, owner, and then the plan."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection, connections

from influencer import dataformat, effective, endpoints
from influencer.config import PROJECT, Config, ConfigError
from influencer.errors import Conflict, Invalid, Unavailable
from influencer.jobs.supervisor import database, screen
from influencer.jobs.supervisor.listening import free_port, listen
from influencer.jobs.supervisor.plan import Plan, Program
from influencer.web import setup

CLUSTERS = ("default", "gpu")
PACKAGE = "influencer.jobs.supervisor"
# A command may hold the lock for the moment it takes to look at the database.
PATIENCE = 2.0

Say = Callable[[str], object]


def prepare(config: Config, say: Say) -> Plan:
    """Make everything ready to run. Raises a `Problem` with one sentence when it can't be."""
    run = make_folders(config.data_dir)
    lock = take_lock(run, config.own_url)
    listener = listen(config.host, config.port)
    (run / "sandbox.json").unlink(missing_ok=True)
    (run / "clusters.json").unlink(missing_ok=True)
    bring_up_to_date(config.data_dir, say)
    link = owner(config, say)
    connections.close_all()
    return make_plan(config, lock=lock, listener=listener, link=link)


def prepare_for_command(config: Config, say: Say) -> None:
    """Make data and database ready for a single command; while `up` runs, they are."""
    run = make_folders(config.data_dir)
    try:
        lock = take_lock(run, "a command", patience=0)
    except Conflict:
        return
    try:
        bring_up_to_date(config.data_dir, say)
    finally:
        os.close(lock)


def bring_up_to_date(data: Path, say: Say) -> None:
    """Bring the files to this version's format and the database to its tables, copies first."""
    if copy := dataformat.check(data):
        say(f"The data was brought to the new format; a copy of the old lies in {copy}.")
    if copy := database.bring_up_to_date(data / "backups"):
        say(f"The database was brought up to date; a copy from before is {copy}.")


def make_folders(data: Path) -> Path:
    """The data folder and what must be in it; for this user only when it is new."""
    try:
        new = not (data / dataformat.FILE).exists()
        for folder in (data, data / "media", data / "run"):
            folder.mkdir(parents=True, exist_ok=True)
        if new:
            data.chmod(0o700)
        (data / "run").chmod(0o700)
    except OSError as error:
        raise Unavailable(
            f"The data folder {data} can't be used: {error.strerror}. Make it writable, or choose "
            "another with INFLUENCER_DATA_DIR."
        ) from error
    return data / "run"


def take_lock(run: Path, url: str, *, patience: float = PATIENCE) -> int:
    """Hold `up.lock` as long as this process lives. Raises `Conflict` naming who has it."""
    descriptor = os.open(run / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience
    while not _try_lock(descriptor):
        if time.monotonic() > deadline:
            sentence = _who_has_it(descriptor, run.parent)
            os.close(descriptor)
            raise Conflict(sentence, code="already_running")
        time.sleep(0.05)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)
    os.set_inheritable(descriptor, True)
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _who_has_it(descriptor: int, data: Path) -> str:
    try:
        facts = json.loads(os.pread(descriptor, 4096, 0))
        who = f"process {facts['pid']}, {facts['url']}"
    except (ValueError, KeyError, TypeError):
        who = "a process that has just started"
    return f"It already runs on {data} ({who}). Use that one, or stop it first."


def owner(config: Config, say: Say) -> str:
    """Make the owner from INFLUENCER_ADMIN_PASSWORD, or a link with which a person does it."""
    if not setup.owner_missing():
        return ""
    if config.admin_password:
        _make_owner(config.admin_password)
        say(f"The user '{setup.OWNER}' was made with the password from INFLUENCER_ADMIN_PASSWORD.")
        return ""
    return f"{config.own_url}/setup/{setup.make_link()}/"


def _make_owner(password: str) -> None:
    try:
        setup.create_owner(username=setup.OWNER, password=password)
    except Invalid as error:
        raise ConfigError(f"INFLUENCER_ADMIN_PASSWORD can't be used. {error.message}") from error


def make_plan(config: Config, *, lock: int, listener: socket.socket, link: str) -> Plan:
    run = config.data_dir / "run"
    socket_number = listener.detach()
    os.set_inheritable(socket_number, True)
    log = run / "up.log" if sys.stdout.isatty() and not config.debug else None
    facts = screen.Facts(
        address=config.own_url,
        data=config.data_dir,
        log=log,
        sandboxed=endpoints.sandboxed_services(),
        setup_link=link,
        elsewhere=screen.addresses(config.host, config.port),
    )
    return Plan(
        programs=(*_programs(socket_number), *_sandbox(config)),
        host=urlsplit(config.own_url).hostname or config.host,
        port=config.port,
        run=run,
        screen=screen.compose(facts),
        log=log,
        lock=lock,
        clock="clock",
        database=Path(str(connection.settings_dict["NAME"])) if connection.vendor == "sqlite" else None,
    )


def _programs(socket_number: int) -> list[Program]:
    python = sys.executable
    web = (python, "-m", f"{PACKAGE}.webserver", str(socket_number))
    clock = (python, str(PROJECT / "manage.py"), "clock", "--skip-checks")
    return [
        Program("web", web, ENVIRONMENT, keeps=(socket_number,), bounded=True, writes=True),
        *(
            Program(name, (python, "-m", f"{PACKAGE}.cluster", name), ENVIRONMENT, bounded=True, writes=True)
            for name in CLUSTERS
        ),
        Program("clock", clock, ENVIRONMENT, writes=True),
    ]


def _sandbox(config: Config) -> list[Program]:
    """The stand-ins' process: characters without credentials need it even when ComfyUI is real."""
    if config.sandbox == "off":
        return []
    options = {
        "--port": str(free_port()),
        "--data": str(config.data_dir / "sandbox"),
        "--app-url": config.own_url,
        "--run-file": str(config.data_dir / "run" / "sandbox.json"),
        "--speed": str(config.sandbox_speed),
    }
    argv = (sys.executable, "-m", "influencer.sandbox", *(word for pair in options.items() for word in pair))
    switch = "" if "sandbox" in config.fixed else str(config.data_dir / effective.FILE)
    return [Program("sandbox", argv, ENVIRONMENT, switch=switch)]


ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "influencer.settings",
    "PYTHONUNBUFFERED": "1",
    # One malloc arena a thread would cost megabytes in sixteen threads.
    "MALLOC_ARENA_MAX": "2",
    # Used up by now, and no business of the other processes. Empty, so that `.env` doesn't fill it.
    "INFLUENCER_ADMIN_PASSWORD": "",
}
