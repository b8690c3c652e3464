"""Every address of the product; the only place that knows all apps."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/", include("influencer.api_urls")),
    path("admin/", admin.site.urls),
    path("", include("characters.images.urls")),
    path("", include("characters.training.urls")),
    path("", include("characters.publishing.urls")),
    path("characters/", include("characters.urls")),
    path("prompts/", include("prompts.urls")),
    path("scheduling/", include("scheduling.urls")),
    path("settings/", include("monitoring.preferences.urls")),
    path("jobs/", include("influencer.jobs.urls")),
    path("", include("monitoring.urls")),
    path("", include("influencer.web.urls")),
]
