"""Addresses of trainings."""

from django.urls import path

from characters.training import draft_views, views

app_name = "training"
urlpatterns = [
    path("characters/<id:pk>/train/", draft_views.train, name="train"),
    path("characters/<id:pk>/train/ready/", draft_views.ready, name="ready"),
    path("characters/<id:pk>/train/images/", draft_views.add, name="add"),
    path("characters/<id:pk>/train/images/<int:number>/remove/", draft_views.remove, name="remove"),
    path("characters/<id:pk>/train/keep/", draft_views.keep, name="keep"),
    path("characters/<id:pk>/train/discard/", draft_views.discard, name="discard"),
    path("characters/<id:pk>/training/", views.section, name="section"),
    path("training/<str:training_id>/curve/", views.curve, name="curve"),
    path("training/<str:training_id>/attach/", views.attach, name="attach"),
    path("training/<str:training_id>/again/", draft_views.again, name="again"),
    path("training/<str:training_id>/images/<str:stem>", views.thumbnail, name="thumbnail"),
    path("images/<str:image_id>/train/", views.add_image, name="add_image"),
]
