"""What is handed to a platform: the post with its words and picture, and the client that takes it."""

from __future__ import annotations

from dataclasses import dataclass

from characters.publishing.models import Post
from influencer.clients.platform import Draft, Publisher
from influencer.jobs.context import JobContext


@dataclass(frozen=True)
class Parcel:
    """What one attempt at the platform needs; `job` is the one that makes it."""

    job: JobContext
    post: Post
    publisher: Publisher
    draft: Draft
