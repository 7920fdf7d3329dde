from django.urls import path, re_path

from . import wire

root = [
    path("v1/projects/<str:key>/settings", wire.settings),
    re_path(
        r"^v1/(?P<verb>identify|track|page|screen|group|alias|batch|import|[itpsgabm])/?$",
        wire.receive,
        name="segment",
    ),
]
