"""Addresses of this app: pages of a product."""

from django.urls import path

from . import pages as views
from . import pages_start

pages = [
    path("why", views.why, name="why"),
    path("why/box", views.box, name="why_box"),
    path("start", pages_start.start, name="start"),
]
