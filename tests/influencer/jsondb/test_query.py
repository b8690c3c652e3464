"""Asking for records the way Django asks."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import FieldError, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, F, Q
from django.http import Http404
from django.shortcuts import get_list_or_404, get_object_or_404

from influencer.jsondb import NotSupported, plan
from influencer.jsondb.plan import ORDERS_KEPT
from tests.influencer.jsondb.library.models import Author, Book

ROWS = [
    {
        "id": "ann",
        "name": "Ann",
        "biography": "Writes of the sea",
        "isActive": True,
        "bornOn": "1970-01-01",
        "booksSold": 10,
        "createdAt": "2025-08-07T23:30:00.000Z",
        "publicity": {"genre": "novel"},
        "books": [{"id": "b1", "title": "Sea"}, {"id": "b2", "title": "Sky", "publishedOn": "2020-05-05"}],
    },
    {"id": "bob", "name": "bob", "isActive": False, "booksSold": 5, "createdAt": "2025-08-08T00:30:00Z"},
    {
        "id": "cleo",
        "name": "Cleo",
        "booksSold": 20,
        "publicity": {"genre": "poem"},
        "books": [{"id": "b1", "title": "Nile"}],
    },
    {"id": "dora", "name": "Ångström", "biography": "STRASSE and straße", "rating": 4.5},
]


@pytest.fixture(autouse=True)
def authors(write_file: Callable[[str, Any], Path]) -> Path:
    return write_file("authors.json", ROWS)


def ids(found: Any) -> list[str]:
    return [record.pk for record in found]


def test_get_finds_by_id_and_by_field() -> None:
    assert Author.objects.get(pk="cleo").name == "Cleo"
    assert Author.objects.get(id="cleo").name == "Cleo"
    assert Author.objects.get(name="bob").pk == "bob"


def test_get_of_none_or_several_raises_as_in_django() -> None:
    with pytest.raises(Author.DoesNotExist):
        Author.objects.get(pk="nobody")
    with pytest.raises(Author.MultipleObjectsReturned):
        Author.objects.get(books_sold__gt=1)


def test_the_shortcut_answers_404() -> None:
    assert get_object_or_404(Author, pk="ann").name == "Ann"
    with pytest.raises(Http404):
        get_object_or_404(Author, pk="nobody")
    with pytest.raises(Http404):
        get_list_or_404(Author.objects.filter(name="nobody"))


@pytest.mark.parametrize(
    ("lookup", "found"),
    [
        ({"name": "Ann"}, "ann"),
        ({"name__exact": "ann"}, ""),
        ({"name__iexact": "ANN"}, "ann"),
        ({"name__contains": "o"}, "bob cleo"),
        ({"name__contains": "B"}, ""),
        ({"name__icontains": "B"}, "bob"),
        ({"name__startswith": "A"}, "ann"),
        ({"name__istartswith": "a"}, "ann"),
        ({"name__istartswith": "å"}, "dora"),
        ({"name__endswith": "b"}, "bob"),
        ({"name__iendswith": "EO"}, "cleo"),
        ({"biography__icontains": "strasse AND STRASSE"}, "dora"),
        ({"books_sold": "10"}, "ann"),
        ({"books_sold__gt": 5}, "ann cleo"),
        ({"books_sold__gte": 10}, "ann cleo"),
        ({"books_sold__lt": 10}, "bob"),
        ({"books_sold__lte": 10}, "ann bob"),
        ({"books_sold__range": (5, 10)}, "ann bob"),
        ({"books_sold__in": [5, 20, None]}, "bob cleo"),
        ({"books_sold__isnull": True}, "dora"),
        ({"books_sold__isnull": False}, "ann bob cleo"),
        ({"books_sold": None}, "dora"),
        ({"is_active": True}, "ann cleo dora"),
        ({"is_active__exact": "0"}, "bob"),
        ({"born_on": date(1970, 1, 1)}, "ann"),
        ({"born_on__lt": "1980-01-01"}, "ann"),
        ({"created_at__lt": "2025-08-08 00:00:00+00:00"}, "ann"),
        ({"created_at__gte": datetime(2025, 8, 8, tzinfo=UTC)}, "bob"),
        ({"created_at__date": "2025-08-07"}, "ann"),
        ({"created_at__date__gt": date(2025, 8, 7)}, "bob"),
        ({"genre": "poem"}, "cleo"),
        ({"genre__in": ["poem", "novel"]}, "ann cleo"),
        ({"pk__in": ["ann", "dora", "x"]}, "ann dora"),
        ({"pk": "ann", "name": "bob"}, ""),
        ({"pk": None}, ""),
        ({"publisher_key": ""}, "ann bob cleo dora"),
    ],
)
def test_lookups_find_what_they_say(lookup: dict[str, Any], found: str) -> None:
    assert ids(Author.objects.filter(**lookup).order_by("pk")) == found.split()


def test_a_date_is_that_of_the_current_time_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Madrid"
    assert ids(Author.objects.filter(created_at__date="2025-08-08").order_by("pk")) == ["ann", "bob"]


def test_exclude_takes_away_and_keeps_what_has_no_value() -> None:
    assert ids(Author.objects.exclude(books_sold__gt=5).order_by("pk")) == ["bob", "dora"]
    assert ids(Author.objects.exclude(name="Ann", is_active=True)) == ["dora", "bob", "cleo"][1:] + ["dora"]


def test_conditions_can_be_joined() -> None:
    either = Q(name="Ann") | Q(books_sold__lt=6)
    assert ids(Author.objects.filter(either)) == ["ann", "bob"]
    assert ids(Author.objects.filter(~either, is_active=True).order_by("pk")) == ["cleo", "dora"]
    assert ids(Author.objects.filter(either & ~Q(name="bob"))) == ["ann"]
    assert ids(Author.objects.filter(Q())) == ids(Author.objects.all())


def test_queries_can_be_joined() -> None:
    ann, bob = (Author.objects.filter(pk=name) for name in ("ann", "bob"))
    assert ids(ann | bob) == ["ann", "bob"]
    assert ids(ann & bob) == []
    assert ids(ann | Author.objects.none()) == ids(Author.objects.none() | ann) == ["ann"]
    assert ids(ann & Author.objects.none()) == []
    assert len(ann | Author.objects.all()) == 4
    assert ids((ann | bob).exclude(pk="ann")) == ["bob"]


def test_text_is_ordered_without_regard_to_case_and_nothing_comes_first() -> None:
    assert ids(Author.objects.all()) == ["ann", "bob", "cleo", "dora"]
    assert ids(Author.objects.order_by("-name")) == ["dora", "cleo", "bob", "ann"]
    assert ids(Author.objects.order_by("books_sold")) == ["dora", "bob", "ann", "cleo"]
    assert ids(Author.objects.order_by("genre", "-books_sold")) == ["bob", "dora", "ann", "cleo"]
    assert ids(Author.objects.order_by("pk").reverse()) == ["dora", "cleo", "bob", "ann"]


def test_without_an_order_it_is_the_files() -> None:
    assert ids(Author.objects.order_by()) == [row["id"] for row in ROWS]
    assert Author.objects.order_by().ordered


def test_slices_cut_what_they_say() -> None:
    everyone = Author.objects.all()
    assert ids(everyone[1:3]) == ["bob", "cleo"]
    assert ids(everyone[1:][1:2]) == ["cleo"]
    assert ids(everyone[:2][1:5]) == ["bob"]
    assert ids(everyone[::2]) == ["ann", "cleo"]
    assert everyone[2].pk == "cleo"
    assert everyone[1:3].count() == 2
    assert not everyone[:0].exists()
    with pytest.raises(IndexError):
        everyone[9]
    with pytest.raises(ValueError, match="Negative"):
        everyone[-1]
    for change in (
        lambda part: part.filter(pk="ann"),
        lambda part: part.order_by("pk"),
        lambda part: part.last(),
    ):
        with pytest.raises(TypeError):
            change(everyone[:2])


def test_first_last_exists_and_count() -> None:
    assert Author.objects.first().pk == "ann"
    assert Author.objects.last().pk == "dora"
    assert Author.objects.none().first() is None
    assert Author.objects.filter(name="bob").exists()
    assert not Author.objects.filter(name="nobody").exists()
    assert Author.objects.count() == len(Author.objects.all()) == 4
    assert Author.objects.filter(is_active=True).contains(Author.objects.get(pk="ann"))


def test_values_and_bulk() -> None:
    assert list(Author.objects.values_list("pk", "books_sold"))[:2] == [("ann", 10), ("bob", 5)]
    assert list(Author.objects.values_list("genre", flat=True)) == ["novel", "", "poem", ""]
    assert list(Author.objects.values_list("genre", flat=True).distinct()) == ["novel", "", "poem"]
    assert Author.objects.values_list("genre", flat=True).distinct().count() == 3
    assert set(Author.objects.in_bulk(["ann", "x"])) == {"ann"}
    assert len(Author.objects.in_bulk()) == 4
    assert ids(
        Author.objects.filter(pk__in=Author.objects.filter(genre="poem").values_list("pk", flat=True))
    ) == ["cleo"]
    with pytest.raises(TypeError):
        Author.objects.values_list("pk", "name", flat=True)


def test_records_named_by_their_ids_come_once_in_the_file_s_order_and_meet_the_other_conditions() -> None:
    wanted = ["cleo", "ann", "bob", "ann", "x"]
    unordered = Author.objects.order_by()
    assert ids(unordered.filter(pk__in=wanted)) == ["ann", "bob", "cleo"]
    assert ids(unordered.filter(pk__in=wanted, is_active=True)) == ["ann", "cleo"]
    assert ids(unordered.filter(pk__in=wanted).exclude(pk="ann")) == ["bob", "cleo"]
    assert ids(unordered.exclude(pk__in=wanted)) == ["dora"]
    assert ids(unordered.filter(Q(pk__in=["bob"]) | Q(name="Ann"))) == ["ann", "bob"]
    assert set(Author.objects.in_bulk(name for name in wanted)) == {"ann", "bob", "cleo"}
    assert not Author.objects.filter(pk__in=[]).exists()


def test_naming_records_by_their_ids_looks_at_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []
    inner = plan.tests_of

    def counted(own: Any, condition: Q) -> Any:
        return [
            lambda entry, test=test: looked_at.append(entry) or test(entry) for test in inner(own, condition)
        ]

    monkeypatch.setattr(plan, "tests_of", counted)
    assert ids(Author.objects.filter(pk__in=["cleo", "ann"])) == ["ann", "cleo"]
    assert len(looked_at) == 2


def test_pages_of_a_query() -> None:
    page = Paginator(Author.objects.order_by("name"), 3).page(2)
    assert (ids(page), page.paginator.count) == (["dora"], 4)


def test_a_query_is_lazy_then_remembers() -> None:
    everyone = Author.objects.all()
    first = list(everyone)
    Author.objects.create(name="Zoe")
    assert list(everyone) == first
    assert everyone[0] is first[0]
    assert len(everyone.all()) == 5


def test_a_query_sees_the_file_anew_after_a_hand_edit(write_file: Callable[[str, Any], Path]) -> None:
    assert Author.objects.order_by("name").first().pk == "ann"
    write_file("authors.json", [{"id": "aaron", "name": "Aaron"}])
    assert ids(Author.objects.order_by("name")) == ["aaron"]


def test_a_page_cut_after_counting_is_of_the_file_as_it_is_by_then(
    write_file: Callable[[str, Any], Path],
) -> None:
    everyone = Author.objects.filter(name__icontains="n").order_by("name")
    assert everyone.count() == 2
    assert ids(everyone[:1]) == ["ann"]
    write_file("authors.json", [{"id": "aaron", "name": "Aaron"}])
    assert ids(everyone[:1]) == ["aaron"]
    assert everyone.count() == 1


def test_records_given_out_never_share_anything_with_the_cache() -> None:
    Author.objects.change("ann", lambda author: author.contract.update(clauses=[1]))
    one, other = (Author.objects.get(pk="ann") for _ in range(2))
    one.contract["clauses"].append(2)
    one.extra["books"] = "mine"
    list(Author.objects.values_list("contract", flat=True))[0]["clauses"].append(3)
    assert other.contract == Author.objects.get(pk="ann").contract == {"clauses": [1]}


def test_nested_rows_are_found_over_all_records_and_within_one() -> None:
    assert Book.objects.count() == 3
    assert ids(Book.objects.filter(author="ann")) == ["b1", "b2"]
    assert ids(Book.objects.filter(author_id="ann", pk="b1")) == ["b1"]
    assert ids(Book.objects.filter(author__in=[Author.objects.get(pk="cleo")])) == ["b1"]
    assert ids(Book.objects.filter(author__name__startswith="A")) == ["b1", "b2"]
    assert Book.objects.get(title="Nile").author.name == "Cleo"
    assert ids(Book.objects.filter(published_on__isnull=False)) == ["b2"]
    assert list(Book.objects.order_by("-author__name").values_list("author_id", "title"))[0] == (
        "cleo",
        "Nile",
    )
    with pytest.raises(Book.MultipleObjectsReturned):
        Book.objects.get(pk="b1")


def test_the_related_manager_hands_out_the_same_parent() -> None:
    ann = Author.objects.get(pk="ann")
    assert [book.title for book in ann.books.order_by("-title")] == ["Sky", "Sea"]
    assert ann.books.first().author is ann


NEEDS_SQL: list[Callable[[Any], Any]] = [
    lambda objects: objects.update(name="x"),
    lambda objects: objects.aggregate(Count("pk")),
    lambda objects: objects.annotate(number=Count("books")),
    lambda objects: objects.values("name"),
    lambda objects: objects.dates("created_at", "day"),
    lambda objects: objects.raw("SELECT 1"),
    lambda objects: objects.select_for_update(),
    lambda objects: objects.union(objects.all()),
    lambda objects: objects.prefetch_related("books"),
    lambda objects: objects.get_or_create(name="x"),
    lambda objects: objects.all() ^ objects.all(),
    lambda objects: objects.filter(name=F("biography")),
    lambda objects: objects.filter(Q(name="a") ^ Q(name="b")),
    lambda objects: objects.filter(name__regex="a").count(),
    lambda objects: objects.filter(created_at__year=2025).count(),
    lambda objects: list(objects.order_by("?")),
    lambda objects: list(objects.order_by(F("name").desc())),
    lambda objects: list(objects.order_by("contract")),
    lambda objects: list(objects.order_by("publisher_key")),
]


@pytest.mark.parametrize("ask", NEEDS_SQL)
def test_what_only_sql_could_answer_is_one_clear_error(ask: Callable[[Any], Any]) -> None:
    with pytest.raises(NotSupported):
        list(ask(Author.objects))


def test_a_misspelt_field_or_unusable_value_is_told() -> None:
    with pytest.raises(FieldError, match="nmae"):
        Author.objects.filter(nmae="x").count()
    with pytest.raises(ValidationError):
        Author.objects.filter(born_on="yesterday").count()


@pytest.mark.usefixtures("library")
def test_a_query_can_be_pickled_and_shown_without_contents() -> None:
    everyone = pickle.loads(pickle.dumps(Author.objects.filter(pk="ann")))
    assert ids(everyone) == ["ann"]
    assert repr(everyone) == "<QuerySet of Author>"


def test_asynchronous_iteration_works() -> None:
    async def collect() -> list[str]:
        return [author.pk async for author in Author.objects.filter(pk="ann")]

    assert asyncio.run(collect()) == ["ann"]


def test_only_so_many_orders_are_remembered() -> None:
    for number in range(ORDERS_KEPT * 2):
        names = ["name" if number >> bit & 1 else "-name" for bit in range(6)]
        list(Author.objects.order_by(*names))
    table = Author._layout().collection.content()
    assert len(table.memo) <= ORDERS_KEPT


@pytest.mark.django_db
def test_no_sql_is_ever_sent(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        ann = Author.objects.get(pk="ann")
        ann.name = "Anna"
        ann.save()
        ann.full_clean()
        ann.books.create(title="New").delete()
        Author.objects.create(name="Zoe").delete()
        list(Author.objects.filter(name__icontains="a").order_by("name")[:2])
        Author.objects.change("bob", lambda author: None)
        Author.objects.filter(name="Cleo").delete()
        ann.refresh_from_db()
