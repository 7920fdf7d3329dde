"""Addresses of this app: pages of a product."""

from django.urls import path

from . import confirming
from . import pages as views

pages = [
    path("why", views.why, name="why"),
    path("why/links", confirming.links, name="confirm_links"),
    path("why/box", views.box, name="why_box"),
]
