"""Accounts in templates that know nothing of publishing."""

from __future__ import annotations

from django import template

from characters.publishing.accounts import Account, wording
from characters.publishing.accounts.wording import Connection

register = template.Library()


@register.simple_tag
def connections_of(accounts: list[Account] | None) -> list[Connection]:
    """The accounts of a character's panel with how they stand."""
    return wording.connections(accounts or [])


@register.filter
def is_busy(connections: list[Connection]) -> bool:
    return wording.is_busy(connections)
