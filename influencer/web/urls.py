"""Addresses of the frame. `healthz` and `/m/` belong to other apps."""

from __future__ import annotations

from django.urls import path

from influencer.web import views

app_name = "web"
urlpatterns = [
    path("", views.home, name="home"),
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("setup/<str:token>/", views.set_up, name="setup"),
    path("restore/<str:file>/", views.restore, name="restore"),
    path("styleguide/", views.style_guide, name="styleguide"),
    path("favicon.ico", views.favicon, name="favicon"),
]
