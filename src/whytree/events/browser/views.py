"""`/whytree.js`; `/whytree-asks.js`, which it fetches where a page wants surveys or the feedback box; and `/whytree-picture.js`, once
somebody wants to send a picture. Any page may load them.

An address with the hash of what is in it (`?v=`) is kept for ever; the bare one is asked for again once a day, so that an
update of the server reaches pages that nobody touches.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

FOLDER = Path(__file__).parent
FOR_EVER = "max-age=31536000, public, immutable"
A_DAY = "max-age=86400, public, stale-while-revalidate=604800"


@dataclass(frozen=True)
class Module:
    """The file as it goes out."""

    plain: bytes
    packed: bytes
    fingerprint: str


@cache
def module(name: str) -> Module:
    plain = (FOLDER / name).read_bytes()
    return Module(plain, gzip.compress(plain, 9, mtime=0), hashlib.sha256(plain).hexdigest()[:12])


@require_safe
def whytree_js(request: HttpRequest, name: str) -> HttpResponse:
    """The module, or 304 when the browser has it."""
    found = module(name)
    etag = f'"{found.fingerprint}"'
    headers = {
        "ETag": etag,
        "Cache-Control": FOR_EVER if request.GET.get("v") == found.fingerprint else A_DAY,
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if etag in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers=headers)
    is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    body = found.packed if is_packed else found.plain
    return HttpResponse(body, content_type="text/javascript; charset=utf-8", headers=headers)
