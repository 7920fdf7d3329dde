"""Sessions that have run out are of no use to anybody: of people, and of who turned back on the way to the provider."""

from datetime import timedelta
from importlib import import_module
from typing import Any

from django.conf import settings

from .jobs import handler


@handler("workspace.forget_sessions", every=timedelta(days=1))
def forget_sessions(payload: dict[str, Any]) -> None:
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
