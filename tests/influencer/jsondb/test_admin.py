"""The real admin over records in a file."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.core import checks
from django.test import Client

from influencer.jsondb import writing
from tests.influencer.jsondb.library import admin
from tests.influencer.jsondb.library.models import Author, Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("library")]

LIST = "/admin/library/author/"


@pytest.fixture
def owner(db: None) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(User.objects.create_superuser("owner", password="x" * 12))
    return client


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were replaced, in order."""
    done: list[str] = []
    replace_file = writing.replace_file

    def counted(target: Any, *args: Any, **kwargs: Any) -> Any:
        done.append(target.name)
        return replace_file(target, *args, **kwargs)

    monkeypatch.setattr("influencer.jsondb.store.replace_file", counted)
    return done


def author(name: str, **values: Any) -> Author:
    return Author.objects.create(name=name, **values)


def form(books: list[dict[str, str]], *, stored: int = 0, **values: str) -> dict[str, str]:
    """What the browser sends for an author with these books, the first `stored` of them known."""
    sent = {
        "books-TOTAL_FORMS": str(len(books)),
        "books-INITIAL_FORMS": str(stored),
        "contract": "{}",
        **values,
    }
    for place, book in enumerate(books):
        sent |= {f"books-{place}-{key}": value for key, value in book.items()}
    return sent


def change_url(record: Author) -> str:
    return f"{LIST}{quote(record.pk)}/change/"


def test_the_models_and_their_admin_pass_djangos_checks() -> None:
    assert checks.run_checks([apps.get_app_config("library")]) == []
    assert [error for site in (admin.site, admin.plain_site) for error in site.check(None)] == []


def test_adding_a_record_with_inline_rows_is_one_write(owner: Client, writes: list[str]) -> None:
    answer = owner.post(f"{LIST}add/", form([{"title": "Emma"}, {"title": "Persuasion"}], name="Jane"))
    assert answer.status_code == 302
    assert writes == ["authors.json"]
    assert [book.title for book in Author.objects.get().books.all()] == ["Emma", "Persuasion"]


def test_changing_with_inline_add_edit_and_delete_is_one_write(owner: Client, writes: list[str]) -> None:
    jane = author("Jane")
    emma, sanditon = (Book.objects.create(author=jane, title=title) for title in ("Emma", "Sanditon"))
    writes.clear()
    books = [
        {"id": emma.pk, "author": jane.pk, "title": "Emma, again"},
        {"id": sanditon.pk, "author": jane.pk, "title": "Sanditon", "DELETE": "on"},
        {"author": jane.pk, "title": "Persuasion"},
    ]
    answer = owner.post(change_url(jane), form(books, stored=2, name="Jane Austen", biography="Bath"))
    assert answer.status_code == 302
    assert writes == ["authors.json"]
    saved = Author.objects.get()
    assert (saved.name, saved.biography) == ("Jane Austen", "Bath")
    assert [book.title for book in saved.books.all()] == ["Emma, again", "Persuasion"]
    assert saved.books.first().pk == emma.pk


def test_a_form_with_an_error_writes_nothing(owner: Client, writes: list[str]) -> None:
    jane = author("Jane")
    writes.clear()
    answer = owner.post(change_url(jane), form([{"author": jane.pk, "title": "t" * 99}], name="New name"))
    assert answer.status_code == 200
    assert b"at most 60 characters" in answer.content
    assert writes == []


def test_an_ordinary_model_admin_works_too(owner: Client) -> None:
    owner.post("/plain/library/author/add/", form([{"title": "Emma"}], name="Jane"))
    assert Author.objects.get().books.get().title == "Emma"


def test_the_change_page_shows_the_record_and_never_the_secret(owner: Client) -> None:
    jane = author("Jane", publisher_key="very-secret")
    Book.objects.create(author=jane, title="Emma")
    page = owner.get(change_url(jane)).content.decode()
    assert 'value="Jane"' in page
    assert 'value="Emma"' in page
    assert "very-secret" not in page
    assert "sealed:v1" not in page


def test_an_empty_secret_field_keeps_the_stored_secret(owner: Client) -> None:
    jane = author("Jane", publisher_key="very-secret")
    owner.post(change_url(jane), form([], name="Jane Austen", publisher_key=""))
    saved = Author.objects.get()
    assert saved.name == "Jane Austen"
    assert saved.publisher_key.reveal() == "very-secret"


def test_deleting_asks_first_and_names_what_goes(owner: Client) -> None:
    jane = author("Jane")
    Book.objects.create(author=jane, title="Emma")
    page = owner.get(f"{LIST}{quote(jane.pk)}/delete/").content.decode()
    assert "Are you sure" in page
    assert "Emma" in page
    assert Author.objects.count() == 1
    owner.post(f"{LIST}{quote(jane.pk)}/delete/", {"post": "yes"})
    assert Author.objects.count() == 0


def test_the_delete_action_takes_several_in_one_write(owner: Client, writes: list[str]) -> None:
    gone = [author(name).pk for name in ("Ann", "Bea")]
    kept = author("Cleo")
    writes.clear()
    choice = {"action": "delete_selected", "_selected_action": gone}
    assert b"Are you sure" in owner.post(LIST, choice).content
    owner.post(LIST, {**choice, "post": "yes"})
    assert list(Author.objects.all()) == [kept]
    assert writes == ["authors.json"]


def test_the_list_searches_filters_sorts_and_pages(owner: Client) -> None:
    for number in range(25):
        author(f"Author {number:02}", is_active=number % 2 == 0, genre="poem" if number < 3 else "novel")
    names = lambda query: [found.name for found in owner.get(LIST + query).context["cl"].result_list]  # noqa: E731
    assert names("?q=author+2")[:3] == ["Author 02", "Author 12", "Author 20"]
    assert names("?is_active__exact=0&genre__exact=poem") == ["Author 01"]
    assert names("?o=-1")[:2] == ["Author 24", "Author 23"]
    assert names("?p=3") == [f"Author {number}" for number in range(20, 25)]
    assert len(names("?created_at__gte=2020-01-01+00%3A00%3A00%2B00%3A00")) == 10
    assert names("?created_at__lt=2020-01-01+00%3A00%3A00%2B00%3A00") == []


def test_an_unknown_record_leads_back_with_a_message(owner: Client) -> None:
    answer = owner.get(f"{LIST}auth_0_none/change/", follow=True)
    assert b"doesn\xe2\x80\x99t exist" in answer.content


def test_the_admin_log_and_history_tell_what_was_done(owner: Client) -> None:
    owner.post(f"{LIST}add/", form([{"title": "Emma"}], name="Jane"))
    jane = Author.objects.get()
    owner.post(change_url(jane), form([], name="Jane Austen"))
    owner.post(f"{LIST}{quote(jane.pk)}/delete/", {"post": "yes"})
    flags = LogEntry.objects.order_by("action_time").values_list("action_flag", flat=True)
    assert list(flags) == [1, 2, 3]
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == {jane.pk}


def test_history_of_a_record_is_shown(owner: Client) -> None:
    owner.post(f"{LIST}add/", form([], name="Jane"))
    page = owner.get(f"{LIST}{quote(Author.objects.get().pk)}/history/")
    assert b"Added" in page.content
