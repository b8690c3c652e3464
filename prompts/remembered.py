"""What is worked out once from the whole library, and anew only when its file has changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from influencer import jsondb
from prompts.models import Prompt

Result = TypeVar("Result")


def while_unchanged(work: Callable[[], Result]) -> Callable[[], Result]:
    """Keep the result of `work`, which looks at nothing but the library, until the library changes."""
    kept: list[tuple[Any, Result]] = []

    @wraps(work)
    def remembered() -> Result:
        content = jsondb.collection(Prompt.Store.file).content()
        for seen, result in kept[:1]:
            if seen is content:
                return result
        result = work()
        # What was read meanwhile may be newer than `content`: then the next call works it out again.
        kept[:] = [(content, result)]
        return result

    return remembered
