"""Addresses of this app: pages of a product."""

from django.urls import path

from . import coverage_pages
from . import pages as views

pages = [
    path("why", views.why, name="why"),
    path("why/box", views.box, name="why_box"),
    path("coverage", coverage_pages.coverage_page, name="coverage"),
]
