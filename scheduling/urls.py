"""Addresses of the Scheduling tab."""

from django.urls import path

from scheduling import calendar_views, editor_views, missed_views, review_views, run_views, task_views, views

app_name = "scheduling"
urlpatterns = [
    path("", views.task_list, name="list"),
    path("calendar/", calendar_views.calendar_page, name="calendar"),
    path("review/", review_views.waiting, name="review"),
    path("review/<str:job_id>/approve/", review_views.approve, name="approve"),
    path("review/<str:job_id>/reject/", review_views.reject, name="reject"),
    path("missed/", missed_views.missed, name="missed"),
    path("missed/run/", missed_views.run_all, name="run_all_missed"),
    path("missed/<int:pk>/run/", missed_views.run_late, name="run_late"),
    path("missed/<int:pk>/skip/", missed_views.skip, name="skip_missed"),
    path("next/", missed_views.coming, name="next"),
    path("pulse/", views.heart, name="pulse"),
    path("add/", editor_views.add, name="add"),
    path("preview/", editor_views.preview, name="preview"),
    path("of-character/", editor_views.of_character, name="of_character"),
    path("of/<id:pk>/", views.section, name="section"),
    path("recent/", views.recent, name="recent"),
    path("run-now/", run_views.run_all, name="run_all"),
    path("runs/", run_views.history, name="runs"),
    path("runs/<int:pk>/", run_views.show, name="run"),
    path("<id:pk>/", editor_views.edit, name="edit"),
    path("<id:pk>/active/", task_views.active, name="active"),
    path("<id:pk>/delete/", task_views.delete, name="delete"),
    path("<id:pk>/duplicate/", task_views.duplicate, name="duplicate"),
    path("<id:pk>/run/", run_views.run_one, name="run_one"),
    path("<id:pk>/history/", run_views.history, name="history"),
]
