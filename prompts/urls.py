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
    path("compose/<id:pk>/<str:platform>/", written_views.compose, name="compose"),
    path("<id:pk>/", views.edit, name="edit"),
    path("<id:pk>/caption/", views.caption, name="caption"),
    path("<id:pk>/caption/write/", written_views.write_caption, name="write_caption"),
    path("<id:pk>/delete/", views.delete, name="delete"),
    path("<id:pk>/beside/<id:other_pk>/", views.compare, name="compare"),
]
