"""Ids in addresses. Those typed into a file by hand may hold any sign."""

from __future__ import annotations

from django.urls import register_converter


class IdConverter:
    """An id as one part of an address: `<id:pk>`. A slash in it does not end that part."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return value.replace("%2F", "/").replace("%25", "%")

    def to_url(self, value: str) -> str:
        return str(value).replace("%", "%25").replace("/", "%2F")


def register() -> None:
    register_converter(IdConverter, "id")
