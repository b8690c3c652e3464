"""A small library: the records the storage tests work with."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from influencer import jsondb


class Author(jsondb.Record):
    name = models.CharField(max_length=60)
    biography = models.TextField(blank=True)
    is_active = models.BooleanField("active", default=True)
    born_on = models.DateField(null=True, blank=True)
    books_sold = models.IntegerField(null=True, blank=True)
    rating = models.FloatField(null=True, blank=True)
    pen_name = models.CharField(max_length=60, blank=True)
    genre = models.CharField(
        max_length=20, blank=True, choices=[("novel", "Novel"), ("poem", "Poem"), ("essay", "Essay")]
    )
    contract = jsondb.ObjectField()
    publisher_key = jsondb.SecretField("publisher key", blank=True)

    class Store:
        file = "authors.json"
        prefix = "auth"
        keys: ClassVar = {"pen_name": "publicity.penName", "genre": "publicity.genre"}

    class Meta(jsondb.Record.Meta):
        app_label = "library"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Book(jsondb.Nested):
    author = jsondb.ParentKey(Author, related_name="books")
    title = models.CharField(max_length=60)
    published_on = models.DateField(null=True, blank=True)

    class Store:
        parent = "author"
        key = "books"
        prefix = "book"

    class Meta(jsondb.Nested.Meta):
        app_label = "library"

    def __str__(self) -> str:
        return self.title


class Shelf(jsondb.Record):
    """A record without a `Meta` that inherits: it must stay out of the database all the same."""

    label = models.CharField(max_length=20, unique=True)

    class Store:
        file = "shelves.json"
        prefix = "shelf"
        order = ("id", "createdAt", "label")

    class Meta:
        app_label = "library"
