"""Addresses of this app: pages of a product."""

from django.urls import path

from . import pages as views
from .mirrors import pages as mirrors

pages = [
    path("events/fields", views.fields, name="form_fields"),
    path("repositories", mirrors.repositories, name="repositories"),
    path("repositories/<int:pk>/stop", mirrors.stop, name="stop_mirror"),
]
