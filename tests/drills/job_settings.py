"""Settings for drills with real clusters: only the queue and the jobs, and kinds that misbehave."""

from influencer.jobs import kinds
from influencer.settings import *  # noqa: F403

INSTALLED_APPS = [
    "influencer.jobs",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django_q",
]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.drills.job_settings"
urlpatterns: list[object] = []

for name, cluster in (("quick", "default"), ("slow", "default"), ("slow_gpu", "gpu"), ("deadly", "default")):
    kinds.register(
        kinds.Kind(
            name=name,
            label=name,
            handler=f"tests.drills.job_handlers.{name.removesuffix('_gpu')}",
            cluster=cluster,
            steps=("first", "second"),
        )
    )
CSRF_FAILURE_VIEW = "django.views.csrf.csrf_failure"
