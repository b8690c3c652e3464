"""Addresses of the Prompts tab."""

from django.urls import path

from prompts import views, written_views

app_name = "prompts"
urlpatterns = [
    path("", views.prompt_list, name="list"),
    path("add/", views.add, name="add"),
    path("delete/", views.bulk_delete, name="bulk_delete"),
    path("write/", written_views.write, name="write"),
    path("write/now/", written_views.at_work, name="writing"),
    path("compose/<str:pk>/<str:platform>/", written_views.compose, name="compose"),
    path("<str:pk>/", views.edit, name="edit"),
    path("<str:pk>/caption/", views.caption, name="caption"),
    path("<str:pk>/caption/write/", written_views.write_caption, name="write_caption"),
    path("<str:pk>/delete/", views.delete, name="delete"),
    path("<str:pk>/beside/<str:other_pk>/", views.compare, name="compare"),
]
