"""Addresses of the Settings page."""

from django.urls import path

from monitoring.preferences import views

app_name = "settings"
urlpatterns = [
    path("", views.show, name="show"),
    path("gemini/models/", views.models, name="models"),
    path("<str:name>/", views.save, name="save"),
    path("<str:name>/test/", views.test, name="test"),
]
