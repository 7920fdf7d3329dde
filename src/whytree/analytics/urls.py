from django.urls import path

from . import pages as views
from . import question_pages

pages = [
    path("numbers", views.numbers, name="numbers"),
    path("funnel", question_pages.funnel, name="funnel"),
    path("funnel.csv", question_pages.funnel_csv, name="funnel_csv"),
    path("numbers/new", views.new_metric, name="new_metric"),
    path("numbers/<str:key>.csv", views.metric_csv, name="metric_csv"),
    path("numbers/<str:key>", views.metric, name="metric"),
    path("numbers/<str:key>/edit", views.edit_metric, name="edit_metric"),
    path("numbers/<str:key>/delete", views.delete_metric, name="delete_metric"),
    path("numbers/<str:key>/outcome", views.metric_outcome, name="metric_outcome"),
]
