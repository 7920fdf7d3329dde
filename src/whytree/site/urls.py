"""Every address. An app gives up to three lists: `pages` live below a product, `root` at the top, and so do the `doors`
that machines knock at (`site.doors`).
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.urls import include, path

from . import pages
from .api import api
from .mcp.http import mcp

APPS = (
    "why",
    "learning",
    "experiments",
    "voice",
    "flags",
    "analytics",
    "tree",
    "code",
    "events",
    "people",
    "workspace",
)


def _from_apps(name: str) -> list[Any]:
    found: list[Any] = []
    for app in APPS:
        if find_spec(f"whytree.{app}.urls"):
            found += getattr(import_module(f"whytree.{app}.urls"), name, [])
    return found


doors = [*_from_apps("doors"), path("mcp", mcp, name="mcp")]

urlpatterns = [
    path("", pages.home, name="home"),
    path("healthz", pages.healthz, name="healthz"),
    path("readyz", pages.readyz, name="readyz"),
    path("api/", api.urls),
    path("p/<slug:product>/", include(_from_apps("pages"))),
    *doors,
    *_from_apps("root"),
]

handler404 = pages.not_found
handler500 = pages.broken
