"""Addresses of this app: pages of a product."""

from django.urls import path

from . import pages as views

pages = [
    path("why", views.why, name="why"),
    path("why/tell", views.tell, name="why_tell"),
    path("why/told/<int:pk>/withdraw", views.withdraw, name="why_withdraw"),
    path("why/box", views.box, name="why_box"),
]
