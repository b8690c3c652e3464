"""The server's JSON as values; what is missing or odd becomes empty, never an exception."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from influencer.clients.comfyui.values import Device, LogLine, Queue, SystemStats


def mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def system_stats(stats: Mapping[str, Any]) -> SystemStats:
    system = mapping(stats.get("system"))
    return SystemStats(
        version=str(system.get("comfyui_version") or ""),
        python=str(system.get("python_version") or "").partition(" ")[0],
        pytorch=str(system.get("pytorch_version") or ""),
        os=str(system.get("os") or ""),
        ram_total=_bytes(system.get("ram_total")),
        ram_free=_bytes(system.get("ram_free")),
        devices=tuple(_device(mapping(device)) for device in stats.get("devices") or []),
    )


def queue(answer: object) -> Queue:
    """Prompt ids by state; the server's pending list is a heap, so it is sorted here."""
    lists = mapping(answer)
    pending = sorted(_items(lists.get("queue_pending")))
    return Queue(
        running=tuple(prompt_id for _, prompt_id in _items(lists.get("queue_running"))),
        pending=tuple(prompt_id for _, prompt_id in pending),
    )


def console(answer: object) -> tuple[LogLine, ...]:
    """The lines of `/internal/logs/raw`, oldest first."""
    entries = mapping(answer).get("entries")
    found = [mapping(entry) for entry in entries] if isinstance(entries, list) else []
    return tuple(LogLine(str(entry.get("t") or ""), str(entry.get("m") or "")) for entry in found)


def _items(items: object) -> Iterator[tuple[float, str]]:
    for item in items if isinstance(items, list) else []:
        if isinstance(item, list) and len(item) > 1 and isinstance(item[0], (int, float)):
            yield item[0], str(item[1])


def _device(device: Mapping[str, Any]) -> Device:
    return Device(
        name=str(device.get("name") or ""),
        type=str(device.get("type") or ""),
        vram_total=_bytes(device.get("vram_total")),
        vram_free=_bytes(device.get("vram_free")),
    )


def _bytes(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) else 0
