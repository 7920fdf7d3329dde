"""Addresses of this app: pages of a product."""

from django.urls import path

from . import pages as views

pages = [path("events/fields", views.fields, name="form_fields")]
