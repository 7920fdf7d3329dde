"""Our own files' addresses carry a hash of what is in them: cached for ever, and fetched anew as soon as they differ.

`/static/whytree/pages.js?v=8f14e45fceea`. They are served from the package itself, so there is no collectstatic step.
"""

import hashlib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

FOR_EVER = "max-age=31536000, public, immutable"


class FingerprintedFiles(StaticFilesStorage):
    """What `{% static %}` writes."""

    def url(self, name: str | None) -> str:
        return f"{super().url(name)}?v={fingerprint(name)}" if name else super().url(name)


class ServeFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Answers for these files. Only an address with the hash of what we have now is worth keeping: a page that an older
    release made asks for that one's hash, and must not make a browser keep today's file under it."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = super().__call__(request)
        name, wanted = request.path_info.removeprefix(self.static_prefix), request.GET.get("v")
        ours = name != request.path_info and response.status_code in (200, 304)
        if wanted and ours and wanted == fingerprint(name):
            response["Cache-Control"] = FOR_EVER
        return response


def fingerprint(name: str) -> str:
    """The first 12 hexadecimal digits of the file's SHA-256; empty when there is no such file."""
    return _digest(name) if settings.DEBUG else _kept_digest(name)


def _digest(name: str) -> str:
    path = finders.find(name)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12] if path else ""


_kept_digest = cache(_digest)  # a release does not change while it runs
