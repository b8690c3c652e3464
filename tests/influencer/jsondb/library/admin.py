"""The library in an admin of its own."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.admin import TabularInline
from django.urls import path

from influencer.jsondb.admin import RecordAdmin

from .models import Author, Book


class BookInline(TabularInline):
    model = Book
    extra = 1


class AuthorAdmin(RecordAdmin):
    list_display = ("name", "genre", "is_active", "created_at")
    list_filter = ("is_active", "genre", "created_at")
    search_fields = ("name", "biography")
    list_per_page = 10
    inlines = (BookInline,)


class PlainAuthorAdmin(admin.ModelAdmin):
    show_facets = admin.ShowFacets.NEVER
    inlines = (BookInline,)


site = admin.AdminSite(name="library")
site.register(Author, AuthorAdmin)
plain_site = admin.AdminSite(name="plain")
plain_site.register(Author, PlainAuthorAdmin)

urlpatterns = [path("admin/", site.urls), path("plain/", plain_site.urls)]
