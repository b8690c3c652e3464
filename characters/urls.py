"""Addresses of the Characters tab."""

from django.urls import path

from characters import story_views, views

app_name = "characters"
urlpatterns = [
    path("", views.character_list, name="list"),
    path("add/", views.add, name="add"),
    path("models/refresh/", views.refresh_models, name="refresh_models"),
    path("samples/", views.samples, name="samples"),
    path("<str:pk>/", views.detail, name="detail"),
    path("<str:pk>/edit/", views.edit, name="edit"),
    path("<str:pk>/active/", views.active, name="active"),
    path("<str:pk>/delete/", views.delete, name="delete"),
    path("<str:pk>/duplicate/", views.duplicate, name="duplicate"),
    path("<str:pk>/export/", views.export, name="export"),
    path("<str:pk>/section/<str:name>/", views.section, name="section"),
    path("<str:pk>/story/", story_views.section, name="story"),
    path("<str:pk>/story/add/", story_views.chapter, name="add_chapter"),
    path("<str:pk>/story/<str:chapter_pk>/", story_views.chapter, name="chapter"),
    path("<str:pk>/story/<str:chapter_pk>/delete/", story_views.delete, name="delete_chapter"),
]
