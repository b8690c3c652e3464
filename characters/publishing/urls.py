"""Addresses of posts, and the public links to their pictures."""

from django.urls import path

from characters.publishing import views

app_name = "publishing"
urlpatterns = [
    path("characters/<id:pk>/post/<str:platform>/", views.compose, name="compose"),
    path("characters/<id:pk>/posts/", views.posts, name="posts"),
    path("posts/<str:post_id>/", views.show, name="show"),
    path("posts/<str:post_id>/resolve/", views.resolve, name="resolve"),
    # Everything below it, so that the public host never shows one of our own pages.
    path("m/<path:name>", views.media, name="media"),
]
