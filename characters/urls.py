"""Addresses of the Characters tab."""

from django.urls import path

from characters import story_views, views

app_name = "characters"
urlpatterns = [
    path("", views.character_list, name="list"),
    path("add/", views.add, name="add"),
    path("models/refresh/", views.refresh_models, name="refresh_models"),
    path("samples/", views.samples, name="samples"),
    path("<id:pk>/", views.detail, name="detail"),
    path("<id:pk>/edit/", views.edit, name="edit"),
    path("<id:pk>/active/", views.active, name="active"),
    path("<id:pk>/delete/", views.delete, name="delete"),
    path("<id:pk>/duplicate/", views.duplicate, name="duplicate"),
    path("<id:pk>/export/", views.export, name="export"),
    path("<id:pk>/section/<str:name>/", views.section, name="section"),
    path("<id:pk>/story/", story_views.section, name="story"),
    path("<id:pk>/story/add/", story_views.chapter, name="add_chapter"),
    path("<id:pk>/story/<id:chapter_pk>/", story_views.chapter, name="chapter"),
    path("<id:pk>/story/<id:chapter_pk>/delete/", story_views.delete, name="delete_chapter"),
]
