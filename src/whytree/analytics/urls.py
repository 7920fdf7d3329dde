from django.urls import path

from . import pages as views
from . import question_pages
from .friction import pages as friction
from .sessions import pages as sessions

pages = [
    path("numbers", views.numbers, name="numbers"),
    path("forms", friction.forms, name="forms"),
    path("ask/sessions", sessions.sessions, name="ask_sessions"),
    path("ask", question_pages.ask, name="ask"),
    path("ask/funnel", question_pages.funnel, name="ask_funnel"),
    path("ask/trends", question_pages.trends, name="ask_trends"),
    path("ask/retention", question_pages.retention, name="ask_retention"),
    path("ask/<str:kind>.csv", question_pages.ask_csv, name="ask_csv"),
    path("numbers/new", views.new_metric, name="new_metric"),
    path("numbers/<str:key>.csv", views.metric_csv, name="metric_csv"),
    path("numbers/<str:key>", views.metric, name="metric"),
    path("numbers/<str:key>/edit", views.edit_metric, name="edit_metric"),
    path("numbers/<str:key>/delete", views.delete_metric, name="delete_metric"),
    path("numbers/<str:key>/outcome", views.metric_outcome, name="metric_outcome"),
]
