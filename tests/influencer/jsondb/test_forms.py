"""Django's own forms over records."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.forms import inlineformset_factory, modelform_factory

from influencer.jsondb import MASK
from tests.influencer.jsondb.library.models import Author, Book, Shelf

AuthorForm = modelform_factory(Author, fields=["name", "genre", "born_on", "pen_name", "publisher_key"])
Books = inlineformset_factory(Author, Book, fields=["title"], extra=1)


def author_form(instance: Author | None = None, **values: Any) -> forms.ModelForm:
    return AuthorForm({"name": "Ann", **values}, instance=instance)


def test_a_form_creates_and_changes_a_record() -> None:
    author = author_form(genre="poem", born_on="1970-01-01").save()
    saved = Author.objects.get()
    assert (saved.name, saved.genre, saved.born_on.isoformat()) == ("Ann", "poem", "1970-01-01")
    author_form(author, name="Anna", genre="").save()
    saved = Author.objects.get()
    assert (saved.name, saved.genre) == ("Anna", "")


def test_a_form_names_what_is_wrong() -> None:
    form = author_form(name="", genre="opera", born_on="yesterday", publisher_key="env:HOME")
    assert set(form.errors) == {"name", "genre", "born_on", "publisher_key"}


def test_a_unique_value_is_checked_against_the_file() -> None:
    Shelf.objects.create(label="A")
    form = modelform_factory(Shelf, fields=["label"])({"label": "A"})
    assert "already exists" in str(form.errors["label"])


def test_a_bound_or_unbound_form_never_renders_the_secret() -> None:
    author = author_form(publisher_key="open-sesame").save()
    for form in (AuthorForm(instance=author), author_form(author, publisher_key="typed-now")):
        html = form.as_p()
        assert "sesame" not in html
        assert "sealed" not in html
        assert "typed-now" not in html


@pytest.mark.parametrize("typed", ["", "   ", MASK])
def test_a_secret_left_alone_is_kept(typed: str) -> None:
    author = author_form(publisher_key="open-sesame").save()
    form = author_form(author, publisher_key=typed)
    assert not form.has_changed()
    form.save()
    assert Author.objects.get().publisher_key.reveal() == "open-sesame"


def test_a_typed_secret_replaces_the_stored_one() -> None:
    author = author_form(publisher_key="open-sesame").save()
    form = author_form(author, publisher_key=" new ")
    assert form.changed_data == ["publisher_key"]
    form.save()
    assert Author.objects.get().publisher_key.reveal() == "new"


def test_a_form_without_the_secret_leaves_it_alone() -> None:
    author = author_form(publisher_key="open-sesame").save()
    modelform_factory(Author, fields=["name"])({"name": "Anna"}, instance=author).save()
    assert Author.objects.get().publisher_key.reveal() == "open-sesame"


def test_inline_rows_are_added_changed_and_deleted() -> None:
    ann = Author.objects.create(name="Ann")
    sea, sky = (ann.books.create(title=title) for title in ("Sea", "Sky"))
    sent = {
        "books-TOTAL_FORMS": "3",
        "books-INITIAL_FORMS": "2",
        "books-0-id": sea.pk,
        "books-0-title": "Deep sea",
        "books-1-id": sky.pk,
        "books-1-title": "Sky",
        "books-1-DELETE": "on",
        "books-2-title": "Rain",
    }
    formset = Books(sent, instance=ann)
    assert formset.is_valid(), formset.errors
    formset.save()
    assert [book.title for book in ann.books.all()] == ["Deep sea", "Rain"]


def test_a_choice_of_records_is_offered_and_checked() -> None:
    ann = Author.objects.create(name="Ann")
    field = forms.ModelChoiceField(Author.objects.all())
    assert field.clean(ann.pk) == ann
    assert [str(label) for _, label in field.choices] == ["---------", "Ann"]
    with pytest.raises(forms.ValidationError):
        field.clean("nobody")
