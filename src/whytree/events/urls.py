"""What clients send to at the top, the catalogue below a product."""

import re

from django.urls import path, re_path

from . import pages as views
from .browser.views import whytree_js
from .importing import pages as importing
from .intake import pages as intake
from .plan import pages as plan
from .relay import pages as relay
from .wire.misplaced import misplaced
from .wire.posthog import v1 as posthog_v1
from .wire.posthog import views as posthog
from .wire.segment import views as segment

_SEGMENT = r"v1/(?P<verb>identify|track|page|screen|group|alias|batch|import|[itpsgabm])/?"
_POSTHOG = r"(?:i/v0/e|i/v0/ai/batch|batch|capture|e|track|engage)/?"
_POSTHOG_V1 = r"i/v1/analytics/events/?"
_BRINGS_EVENTS = re.compile(f"/(?:{_SEGMENT}|{_POSTHOG}|{_POSTHOG_V1})")


def brings_events(method: str, path: str) -> bool:
    """Whether a request is one that a server may get thousands of in a second, each of which waits for the disk."""
    return method == "POST" and _BRINGS_EVENTS.fullmatch(path) is not None


doors = [
    path("v1/projects/<str:key>/settings", segment.settings),
    re_path(f"^{_SEGMENT}$", segment.receive, name="segment"),
    re_path(f"^{_POSTHOG}$", posthog.capture, name="posthog"),
    path("whytree.js", whytree_js, {"name": "whytree.js"}, name="whytree_js"),
    path("whytree-asks.js", whytree_js, {"name": "whytree-asks.js"}, name="whytree_asks_js"),
    path("whytree-picture.js", whytree_js, {"name": "whytree-picture.js"}, name="whytree_picture_js"),
    re_path(r"^s/?$", posthog.recording),
    re_path(f"^{_POSTHOG_V1}$", posthog_v1.events, name="posthog_v1"),
]

root = [re_path(rf"^(?P<before>.+)/(?:{_POSTHOG}|{_SEGMENT.replace('?P<verb>', '?:')})$", misplaced)]

pages = [
    path("events", views.events, name="events"),
    path("events/live", views.live_events, name="live_events"),
    path("events/intake", intake.intake, name="intake"),
    path("events/plan", plan.plan, name="plan"),
    path("events/plan/event", plan.edit_event, name="plan_event"),
    path("events/relay", relay.relays, name="relays"),
    path("events/put-aside", views.put_aside, name="events_put_aside"),
    path("events/imports", importing.event_imports, name="event_imports"),
    path("events/imports/<int:number>", importing.event_import, name="event_import"),
    path("events/imports/<int:number>/look", importing.look_again, name="look_at_events_again"),
    path("events/imports/<int:number>/begin", importing.begin_import, name="begin_event_import"),
    path("events/imports/<int:number>/go-on", importing.go_on, name="go_on_event_import"),
    path("events/imports/<int:number>/undo", importing.undo_import, name="undo_event_import"),
]
