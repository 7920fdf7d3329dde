from django.urls import path

from . import pages as views
from .asking import pages as asking

pages = [
    path("numbers", views.numbers, name="numbers"),
    path("ask", asking.ask, name="ask"),
    path("ask/funnel", asking.funnel, name="ask_funnel"),
    path("ask/trends", asking.trends, name="ask_trends"),
    path("ask/retention", asking.retention, name="ask_retention"),
    path("ask/<str:kind>.csv", asking.ask_csv, name="ask_csv"),
    path("numbers/new", views.new_metric, name="new_metric"),
    path("numbers/<str:key>.csv", views.metric_csv, name="metric_csv"),
    path("numbers/<str:key>", views.metric, name="metric"),
    path("numbers/<str:key>/edit", views.edit_metric, name="edit_metric"),
    path("numbers/<str:key>/delete", views.delete_metric, name="delete_metric"),
    path("numbers/<str:key>/outcome", views.metric_outcome, name="metric_outcome"),
]
