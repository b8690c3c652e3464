"""What refers to jobs: the apps above register theirs, so that those jobs are never forgotten."""

from __future__ import annotations

_users: list[str] = []


def register(users: str) -> None:
    """Keep the jobs whose ids the queryset `users()` holds, however old they are.

    `users` is a dotted name, given in `AppConfig.ready`.
    """
    if users not in _users:
        _users.append(users)


def registered() -> list[str]:
    return list(_users)
