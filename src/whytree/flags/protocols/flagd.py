"""All flags of a product as a flagd file, for providers that evaluate in their own process.

    GET /flagd/flags.json    with a server key; ETag and 304, as flagd's HTTP sync and any poller ask

Rules are in it, so a public capture key does not get it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from whytree.engines.flags.flagd_file import as_flagd
from whytree.workspace.models import Key

from ..evaluation import live
from .ofrep import Refused, answered, asker, matches

SCHEMA = "https://flagd.dev/schema/v0/flags.json"


def flagd_file(flags: live.FlagSet) -> dict[str, Any]:
    """The file. What it cannot carry is DISABLED and marked `serverOnly` with the reason."""
    definitions: Mapping[str, Any] = {
        key: as_flagd(evaluator.rules, flags.metadata.get(key))[0]
        for key, evaluator in sorted(flags.evaluators.items())
    }
    return {"$schema": SCHEMA, "flags": definitions, "metadata": {"flagSetId": flags.product}}


@csrf_exempt
def flags_json(request: HttpRequest) -> HttpResponse:
    return answered(request, lambda: _file(request))


def _file(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        raise Refused(405, "GENERAL", "Read the file with GET.", Allow="GET, HEAD")
    try:
        facts = asker(request)
        if facts.kind != Key.Kind.SERVER:
            raise Refused(
                403, "GENERAL", "The file holds your rules, so it needs a server key; a capture key is public."
            )
        flags = live.flag_set(facts.product_id or 0, facts.environment_id)
    except DatabaseError as error:
        raise Refused(503, "GENERAL", "The flags cannot be read at the moment. Try again.", Retry_After="1") from error
    body = json.dumps(flagd_file(flags), ensure_ascii=False).encode()
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    unchanged = matches(request.headers.get("If-None-Match", ""), etag)
    response = HttpResponse(status=304) if unchanged else HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache"
    return response
