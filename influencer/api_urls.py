"""The JSON API: one line for each documented path. A trailing slash is optional."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, re_path

from characters import api as characters
from characters.images import api as images
from characters.publishing import api as publishing
from characters.publishing.accounts import api as account_api
from characters.training import api as training
from influencer.jobs import api as jobs
from monitoring import api as monitoring
from prompts import api as prompts
from prompts import caption_api
from scheduling import api as scheduling


def path(route: str, view: Callable[..., Any]) -> URLPattern:
    return re_path(rf"^{route}/?$", view)


urlpatterns = [
    path("characters", characters.characters),
    path("models", characters.models),
    path("generate-image", images.generate_image),
    path("lora/v2/train", training.train),
    path("lora/v2/train/(?P<training_id>[^/]+)", training.training),
    path("post-to-instagram", publishing.post_to_instagram),
    path("post-to-twitter", publishing.post_to_twitter),
    path("accounts", account_api.account_list),
    path("posts", publishing.posts),
    path("posts/check", publishing.check),
    path("posts/(?P<post_id>[^/]+)", publishing.post),
    path("posts/(?P<post_id>[^/]+)/resolve", publishing.resolve),
    path("posts/(?P<post_id>[^/]+)/try", publishing.try_now),
    path("prompts", prompts.prompts),
    path("generate-caption", caption_api.generate_caption),
    path("scheduler", scheduling.scheduler),
    path("jobs/(?P<job_id>[^/]+)", jobs.job),
    path("jobs/(?P<job_id>[^/]+)/cancel", jobs.cancel),
    path("jobs/(?P<job_id>[^/]+)/retry", jobs.retry),
    path("system/status", monitoring.status),
]
