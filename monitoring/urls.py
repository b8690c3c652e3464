"""Addresses of the Monitoring tab and of the product's health."""

from django.urls import path

from monitoring import views

app_name = "monitoring"
urlpatterns = [
    path("monitoring/", views.page, name="page"),
    path("healthz", views.healthz, name="healthz"),
]
