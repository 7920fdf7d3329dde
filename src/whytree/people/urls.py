"""Where the people are, below a product. Ids may hold anything, slashes too."""

from django.urls import path

from . import pages as views

pages = [
    path("people", views.people, name="people"),
    path("people/<path:key>/internal", views.set_internal, name="set_internal"),
    path("people/<path:key>/separate", views.separate, name="separate_person"),
    path("people/<path:key>/everything", views.everything, name="export_person"),
    path("people/<path:key>/erase", views.erase, name="erase_person"),
    path("people/<path:key>/join", views.join, name="join_person"),
    path("people/<path:key>", views.person, name="person"),
]
