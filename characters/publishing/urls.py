"""Addresses of posts, and the public links to their pictures."""

from django.urls import path, re_path

from characters.publishing import list_views, settling_views, views
from characters.publishing.accounts import views as account_views

app_name = "publishing"
urlpatterns = [
    path("characters/<id:pk>/post/<str:platform>/", views.compose, name="compose"),
    path("characters/<id:pk>/posts/", list_views.posts, name="posts"),
    path("characters/<id:pk>/posts/export.<str:kind>", list_views.exported, name="export"),
    path("characters/<id:pk>/accounts/", account_views.connections, name="connections"),
    path("characters/<id:pk>/accounts/renew/", account_views.renew, name="renew"),
    path("characters/<id:pk>/accounts/<str:platform>/check/", account_views.check, name="check"),
    path("characters/<id:pk>/accounts/<str:platform>/resume/", account_views.resume, name="resume"),
    path("characters/<id:pk>/connect/<str:way>/", account_views.connect, name="connect"),
    path("posts/<str:post_id>/", views.show, name="show"),
    path("posts/<str:post_id>/retry/", list_views.retry, name="retry"),
    path("posts/<str:post_id>/resolve/", settling_views.resolve, name="resolve"),
    path("posts/<str:post_id>/latest/", settling_views.candidates, name="candidates"),
    path("posts/<str:post_id>/try/", settling_views.try_now, name="try_now"),
    # Everything below it, so that the public host never shows one of our own pages.
    re_path(r"^m/(?P<name>.*)$", views.media, name="media"),
]
