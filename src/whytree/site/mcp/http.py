"""MCP at `/mcp`: streamable HTTP without a stream and without a session. One message a POST, its answer as JSON.

Every call goes through the REST API within this process, as the token's owner: who may what is asked there and nowhere else.
"""

from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from whytree.errors import Forbidden, Invalid, NotAllowed, RetryLater, TooLarge, Unauthenticated, WhytreeError
from whytree.workspace.entry.doors import INSIDE, actor_of_token
from whytree.workspace.rights.actors import Actor
from whytree.workspace.terminal.client import Client, CommandError
from whytree.workspace.terminal.tooling import Desk, Told, Tool

from ..middleware import as_known
from . import all_tools
from .protocol import (
    HANDSHAKES,
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    MOST_BYTES,
    PARSE_ERROR,
    STATELESS,
    UNSUPPORTED_VERSION,
    Refused,
    Reply,
    Server,
    answer,
    failure,
    read,
    version_of,
)

# Since 2026-07-28 an error has a status of its own; clients from before take another one than 200 for a broken connection.
_STATUS = {
    **dict.fromkeys((PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, HEADER_MISMATCH, UNSUPPORTED_VERSION), 400),
    METHOD_NOT_FOUND: 404,
}
_ALWAYS = {PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH}


@csrf_exempt
def mcp(request: HttpRequest) -> HttpResponse:
    """One message of an agent."""
    try:
        actor = _checked(request)
        message = read(request.body)
        _check_headers(request, message)
    except Refused as refused:
        return _sent(failure(refused), stateless=True)
    except Exception as error:  # what is known has a status of its own; anything else is a fault, as on a page
        known = as_known(error)
        if known is None:
            raise
        return _refused(known)
    reply = answer(Server(all_tools(), _Caller(request, actor)), message)
    return HttpResponse(status=202) if reply is None else _sent(reply, stateless=bool(version_of(message)))


def _checked(request: HttpRequest) -> Actor:
    """Who asks, once the request is one that we take."""
    origin = request.headers.get("Origin", "")
    own = {urlsplit(settings.WHYTREE.base_url).netloc, request.get_host()}
    if origin and urlsplit(origin).netloc not in own:  # a page elsewhere, whose name may point here by now
        raise Forbidden("Pages of another origin may not ask here.")
    if request.method != "POST":
        raise NotAllowed(
            "There is no stream here to listen to: POST one message, and its answer comes back.", allowed="POST"
        )
    if request.content_type != "application/json":
        raise Invalid("Send JSON, with Content-Type: application/json.")
    if len(request.body) > MOST_BYTES:
        raise TooLarge(f"A message may have {MOST_BYTES // 1_000_000} MB.")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send a personal token: Authorization: Bearer ... Make one under Settings, Your tokens.")
    return actor_of_token(token.strip(), via="mcp")


def _check_headers(request: HttpRequest, message: Any) -> None:
    """Who routes by headers must be told what the message says."""
    named, version = request.headers.get("MCP-Protocol-Version", ""), version_of(message)
    if not version:
        if named and named not in HANDSHAKES:
            raise Refused(UNSUPPORTED_VERSION, "This version needs its name in the message, too.", _spoken(named))
        return
    params = message["params"]
    said = {"MCP-Protocol-Version": version, "Mcp-Method": message.get("method")}
    if message.get("method") == "tools/call":
        said["Mcp-Name"] = params.get("name")
    for header, meant in said.items():
        if request.headers.get(header) != meant:
            raise Refused(HEADER_MISMATCH, f"The header {header} does not say what the message says.")


def _spoken(requested: str) -> dict[str, Any]:
    return {"supported": [*HANDSHAKES, *STATELESS], "requested": requested[:40]}


def _sent(reply: Reply, *, stateless: bool) -> HttpResponse:
    code = reply.get("error", {}).get("code", 0)
    status = _STATUS.get(code, 200) if stateless or code in _ALWAYS else 200
    return HttpResponse(msgspec.json.encode(reply), content_type="application/json", status=status)


def _refused(error: WhytreeError) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(error.as_json()), content_type="application/json", status=error.status)
    if isinstance(error, Unauthenticated):
        response["WWW-Authenticate"] = 'Bearer realm="whytree"'
    if isinstance(error, NotAllowed):
        response["Allow"] = error.allowed
    if isinstance(error, RetryLater):
        response["Retry-After"] = str(error.retry_after)
    return response


class _Caller:
    """Runs a tool for whoever sent the request, on the product that its address names."""

    def __init__(self, request: HttpRequest, actor: Actor) -> None:
        self._actor = actor
        self._wanted = quote(request.GET.get("product", "")[:100], safe="")
        self._from = request.META.get("REMOTE_ADDR", "127.0.0.1")

    def __call__(self, tool: Tool, asked: Any) -> Told:
        import httpx

        from ..wsgi import application

        def inside(environ: dict[str, Any], start: Any) -> Any:
            return application({**environ, INSIDE: self._actor}, start)

        transport = httpx.WSGITransport(app=inside, raise_app_exceptions=False, remote_addr=self._from)
        with httpx.Client(base_url="http://localhost", transport=transport, trust_env=False) as http:
            product = self._wanted or _only_product(Client(http, ""))
            return tool.run(Desk(Client(http, settings.WHYTREE.base_url, product)), asked)


def _only_product(client: Client) -> str:
    """Of the token's owner; with several the address has to name one."""
    slugs = [product["slug"] for product in client.get("/products")]
    if not slugs:
        raise CommandError("Whoever this token belongs to is in no product. Ask an owner for an invitation.")
    if len(slugs) > 1:
        raise CommandError(
            f"Which product? Configure the address as /mcp?product=NAME, with one of: {', '.join(slugs)}"
        )
    return str(slugs[0])
