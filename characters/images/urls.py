"""Addresses of images."""

from django.urls import path

from characters.images import views

app_name = "images"
urlpatterns = [
    path("images/<str:image_id>/file", views.file, name="file"),
    path("images/<str:image_id>/thumbnail", views.thumbnail, name="thumbnail"),
    path("images/<str:image_id>/", views.show, name="show"),
    path("images/<str:image_id>/portrait/", views.portrait, name="portrait"),
    path("images/<str:image_id>/again/", views.again, name="again"),
    path("images/<str:image_id>/delete/", views.delete, name="delete"),
    path("characters/<id:pk>/generate/", views.generate, name="generate"),
    path("characters/<id:pk>/generate/<str:job_id>/", views.making, name="making"),
    path("characters/<id:pk>/gallery/", views.gallery, name="gallery"),
    path("characters/<id:pk>/stage/", views.stage, name="stage"),
    path("characters/<id:pk>/upload/", views.upload, name="upload"),
]
