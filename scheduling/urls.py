"""Addresses of the Scheduling tab."""

from django.urls import path

from scheduling import views

app_name = "scheduling"
urlpatterns = [
    path("", views.task_list, name="list"),
    path("pulse/", views.heart, name="pulse"),
]
