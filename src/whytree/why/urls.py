"""Addresses of this app: pages of a product."""

from django.urls import path

from . import pages as views
from . import pages_daily, pages_improve, pages_start

pages = [
    path("why", views.why, name="why"),
    path("why/box", views.box, name="why_box"),
    path("improve", pages_improve.improve, name="improve"),
    path("daily/others", pages_daily.others, name="daily_others"),
    path("start", pages_start.start, name="start"),
]
