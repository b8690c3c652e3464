"""What is worked out once from a whole file."""

from __future__ import annotations

from influencer.jsondb import while_unchanged
from tests.influencer.jsondb.library.models import Author


def test_it_is_worked_out_again_when_the_file_has_changed() -> None:
    worked: list[str] = []

    @while_unchanged(Author.Store.file)
    def names(prefix: str) -> list[str]:
        worked.append(prefix)
        return [prefix + author.name for author in Author.objects.order_by("name")]

    first, second = "a ", "b "
    Author.objects.create(name="Kai")
    assert names(first) == names(first) == ["a Kai"] and worked == [first]
    Author.objects.create(name="Luna")
    assert names(first) == ["a Kai", "a Luna"] and worked == [first, first]
    assert names(second) == ["b Kai", "b Luna"] and worked == [first, first, second]
