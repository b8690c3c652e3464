"""Addresses under /jobs/."""

from django.urls import path

from influencer.jobs import views

app_name = "jobs"
urlpatterns = [
    path("header", views.header, name="header"),
    path("<str:job_id>/fragment", views.fragment, name="fragment"),
    path("<str:job_id>/row", views.row, name="row"),
    path("<str:job_id>/preview.jpg", views.preview, name="preview"),
    path("<str:job_id>/cancel", views.cancel, name="cancel"),
    path("<str:job_id>/retry", views.retry, name="retry"),
]
