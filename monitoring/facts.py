"""The figures on each card, out of what its checks have found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone

from influencer.jobs.wording import SPACE, duration
from influencer.web.templatetags.ui import grouped
from monitoring.report import State

Details = Mapping[str, Any]
GIB = 2**30
# More accounts than that would make the card a page.
MOST_ACCOUNTS = 6
ACCOUNT_WORDS = {"sandbox": "sandbox", "none": "no account", "unchecked": "not asked yet"}
GRAVITY = {"down": 0, "ok": 1, "unchecked": 2, "sandbox": 3, "none": 4}


@dataclass(frozen=True)
class Meter:
    """A level between 0 and `most`."""

    value: float
    most: float

    @property
    def low(self) -> float:
        return self.most * 0.8

    @property
    def high(self) -> float:
        return self.most * 0.95


@dataclass(frozen=True)
class Fact:
    """One line of a card. Instead of text it may be a moment; `tone` is ok, warn or bad."""

    label: str
    text: str = ""
    moment: datetime | None = None
    tone: str = ""
    url: str = ""
    meter: Meter | None = None
    label_url: str = ""


# --- ComfyUI ---------------------------------------------------------------------------------


def comfyui(details: Details) -> Sequence[Fact]:
    servers = details.get("servers", ())
    if len(servers) == 1:
        return list(_server(servers[0]))
    return [_server_in_a_line(server) for server in servers]


def comfyui_value(details: Details, state: State) -> str:
    servers = details.get("servers", ())
    well = [server for server in servers if "answerMs" in server]
    if not well:
        return "no server" if state is State.UNCONFIGURED else "silent"
    if state is State.SANDBOX:
        return "stand-in"
    return f"{len(well)} of {len(servers)} servers" if len(servers) > 1 else "connected"


def _server(server: Details) -> Iterator[Fact]:
    yield Fact("Server", _host(server["url"]))
    if "answerMs" not in server:
        return
    yield Fact("Version", server["version"] or "unknown")
    for device in server["devices"][:1]:
        yield Fact("Device", device["name"] or device["type"])
        if device["vramTotal"]:
            yield _vram(device)
    yield Fact("Queue", _queue(server["queue"]))
    yield Fact("Answers in", f"{server['answerMs']}{SPACE}ms")


def _server_in_a_line(server: Details) -> Fact:
    if "answerMs" not in server:
        return Fact(_host(server["url"]), "silent", tone="bad")
    device = server["devices"][0] if server["devices"] else {}
    parts = [server["version"], device.get("name", ""), _queue(server["queue"]), f"{server['answerMs']} ms"]
    return Fact(_host(server["url"]), " · ".join(filter(None, parts)))


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0] or url


def _vram(device: Details) -> Fact:
    used, total = (device["vramTotal"] - device["vramFree"]) / GIB, device["vramTotal"] / GIB
    return Fact("VRAM", f"{used:.1f} of {total:.0f}{SPACE}GB", meter=Meter(round(used, 2), round(total, 2)))


def _queue(queue: Details) -> str:
    running, pending = queue["running"], queue["pending"]
    return f"{running} running, {pending} waiting" if running or pending else "empty"


# --- Database --------------------------------------------------------------------------------


def database(details: Details) -> Sequence[Fact]:
    writable, folder = details.get("writable"), details.get("folder", "")
    word = "writable" if writable else "not writable"
    found = [Fact("Folder", f"{word}, {folder}", tone="" if writable else "bad")]
    if "freeBytes" in details:
        found.append(Fact("Free", size(details["freeBytes"])))
    found += [_file(file) for file in details.get("files", ()) if file["bytes"] or "damaged" in file]
    if "bytes" in details:
        found.append(Fact("Database", size(details["bytes"])))
    return [*found, Fact("Backup", "none yet", moment(details.get("lastBackupAt")))]


def database_value(details: Details, state: State) -> str:
    files = details.get("files", ())
    damaged = sum("damaged" in file for file in files)
    if damaged:
        return f"{damaged} damaged file{'' if damaged == 1 else 's'}"
    if state is State.DOWN:
        return "not usable"
    return f"{grouped(sum(file.get('records', 0) for file in files))} records"


def _file(file: Details) -> Fact:
    if "damaged" in file:
        return Fact(file["name"], f"damaged: {file['damaged']}", tone="bad")
    records = f"{grouped(file['records'])} · " if "records" in file else ""
    return Fact(file["name"], f"{records}{size(file['bytes'])}")


def size(number: int) -> str:
    """ "41 kB", "212 GB", as disks count."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            shown = number / factor
            return f"{shown:.1f}{SPACE}{unit}" if shown < 10 else f"{grouped(round(shown))}{SPACE}{unit}"
    return f"{number}{SPACE}B"


# --- Scheduler and workers -------------------------------------------------------------------


def scheduler(details: Details) -> Sequence[Fact]:
    clusters = details.get("clusters", ())
    alive = sum(cluster.get("workers", 1) for cluster in clusters if cluster["alive"])
    workers = sum(cluster.get("workers", 1) for cluster in clusters)
    found = [
        Fact("Heartbeat", "never", moment(details.get("lastBeatAt"))),
        Fact("Workers", f"{alive} of {workers} answer", tone="" if alive == workers else "bad"),
        *(_cluster(cluster) for cluster in clusters if not cluster["alive"]),
        Fact("Due in 1 h", grouped(details.get("dueWithinTheHour", 0))),
        Fact("Lag", duration(details.get("lagSeconds", 0))),
    ]
    if missed := details.get("missed", 0):
        return [*found, Fact("Missed", f"{missed} wait for you", tone="warn", url=reverse("scheduling:list"))]
    return [*found, Fact("Missed", "none")]


def scheduler_value(details: Details, state: State) -> str:
    clusters = details.get("clusters", ())
    if not all(cluster["alive"] for cluster in clusters):
        return "workers are silent"
    if state is State.DOWN:
        return "standing still"
    lag = details.get("lagSeconds", 0)
    return "on time" if lag < 60 else f"{duration(lag)} late"


def _cluster(cluster: Details) -> Fact:
    return Fact(f"“{cluster['name']}”", "never answered", moment(cluster["lastSignAt"]), tone="bad")


# --- Instagram and X -------------------------------------------------------------------------


def accounts(details: Details) -> Sequence[Fact]:
    listed = sorted(details.get("accounts", ()), key=lambda account: GRAVITY[account["state"]])
    found = [_account(account) for account in listed[:MOST_ACCOUNTS]]
    if more := len(listed) - len(found):
        found.append(Fact("More", f"{more} accounts"))
    if error := details.get("lastError"):
        post = reverse("publishing:show", args=[error["postId"]])
        found.append(Fact("Last error", error["message"] or error["code"], tone="warn", url=post))
    return found


def accounts_value(details: Details, state: State) -> str:
    states = [account["state"] for account in details.get("accounts", ())]
    well = sum(state in {"ok", "unchecked"} for state in states)
    if well or "down" in states:
        return f"{well} account{'' if well == 1 else 's'} ok"
    return "stand-in" if state is State.SANDBOX else "no account"


def _account(account: Details) -> Fact:
    label = account.get("handle") or account["character"]
    address = reverse("characters:detail", args=[account["characterId"]])
    if account["state"] == "down":
        return Fact(label, account["message"], tone="bad", label_url=address)
    words = ["ok" if account["state"] == "ok" else ACCOUNT_WORDS[account["state"]]]
    if quota := account.get("quota"):
        words.append(f"{quota['used']} of {quota['limit']} today")
    elif account.get("postedToday"):
        words.append(f"{account['postedToday']} today")
    if held := moment(account.get("heldUntil")):
        words.append(f"waits until {_clock_time(held)}")
    if ends := moment(account.get("tokenExpiresAt")):
        guess = "" if account.get("tokenExpiryKnown") else " (estimated)"
        words.append(f"token until {_day(ends)}{guess}")
    tone = "warn" if held or account.get("tokenExpiresSoon") else ""
    return Fact(label, " · ".join(words), tone=tone, label_url=address)


def _day(when: datetime) -> str:
    local = timezone.localtime(when)
    return f"{local.day} {local:%b}"


def _clock_time(when: datetime) -> str:
    return f"{timezone.localtime(when):%H:%M}"


# --- Gemini ----------------------------------------------------------------------------------


def gemini(details: Details) -> Sequence[Fact]:
    if not details.get("keySet"):
        return [Fact("Key", "not set"), Fact("Captions", "written without AI")]
    found = [Fact("Key", "set"), Fact("Through", details["sdk"])]
    if "askedAt" in details:
        found.append(Fact("Asked", moment=moment(details["askedAt"])))
    if "answerMs" in details:
        found.append(Fact("Took", duration(details["answerMs"] / 1000)))
    return found


def gemini_value(details: Details, state: State) -> str:
    return str(details.get("model", "without AI"))


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
