"""Looks at the set-up and says, for everything that is not as it should be, what to do."""

import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal
from urllib.parse import urlsplit

from whytree import options
from whytree.workspace.terminal.client import CommandError, owner_token
from whytree.workspace.terminal.serving import running_server

State = Literal["ok", "advice", "problem"]
FREE_BYTES = 1 << 30
OPEN_FILES = 4096


@dataclass(frozen=True)
class Finding:
    """One look: `ok`, `advice` (works, could be better) or `problem` (does not work)."""

    subject: str
    state: State
    text: str


def examine() -> list[Finding]:
    """Every look in order; settings first, for nothing else can be looked at without them."""
    try:
        chosen = options.read()
    except options.OptionError as error:
        return [Finding("settings", "problem", str(error))]
    looks: tuple[Callable[[options.Options], Finding], ...] = (
        _python,
        _folder,
        _space,
        _files,
        _git,
        _server,
        _token,
        _hosts,
        _mail,
        _proxy,
        _provider,
    )
    found = [*(look(chosen) for look in looks), *_stores(chosen)]
    return found if any(one.state == "problem" for one in found) else [*found, *_metrics()]


def as_rows(findings: list[Finding]) -> list[dict[str, str]]:
    return [asdict(finding) for finding in findings]


def _python(chosen: options.Options) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", "ok", f"Python {version}")


def _folder(chosen: options.Options) -> Finding:
    try:
        folder = options.ensure_data_folder(chosen)
    except OSError as error:
        return Finding(
            "data folder",
            "problem",
            f"{chosen.data} cannot be made: {error}. Set WHYTREE_DATA to a folder you can write.",
        )
    if not os.access(folder, os.W_OK):
        return Finding("data folder", "problem", f"{folder} cannot be written. Change its owner, or set WHYTREE_DATA.")
    if folder.stat().st_mode & 0o077:
        return Finding(
            "data folder", "advice", f"Others on this machine can read {folder}. Close it: chmod 700 {folder}"
        )
    return Finding("data folder", "ok", str(folder))


def _space(chosen: options.Options) -> Finding:
    free = shutil.disk_usage(chosen.data if chosen.data.exists() else chosen.data.anchor).free
    text = f"{free / (1 << 30):,.1f} GiB free"
    return (
        Finding("disk", "ok", text)
        if free > FREE_BYTES
        else Finding("disk", "problem", f"Only {text}. Free some: events need room.")
    )


def _files(chosen: options.Options) -> Finding:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(soft, hard) if hard != resource.RLIM_INFINITY else OPEN_FILES
    if most < OPEN_FILES:
        return Finding(
            "open files",
            "advice",
            f"At most {most} files may be open; raise it to {OPEN_FILES} (ulimit -n, or LimitNOFILE=).",
        )
    return Finding("open files", "ok", f"up to {most:,}")


def _git(chosen: options.Options) -> Finding:
    if shutil.which("git"):
        return Finding("git", "ok", "found")
    return Finding(
        "git", "advice", "No git here. Fine on a server; `whytree why` and `repository add` need it where the clone is."
    )


def _server(chosen: options.Options) -> Finding:
    address = chosen.url or running_server(chosen.data)
    if not address:
        return Finding("server", "advice", "No server runs on this data folder. Start it: whytree serve")
    import httpx

    try:
        token = chosen.token or owner_token(chosen.data)
        answer = httpx.get(
            address + "/readyz", headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=10
        )
    except httpx.TransportError as error:
        return Finding("server", "problem", f"{address} does not answer: {error}. Start it: whytree serve")
    if answer.status_code != 200:
        return Finding("server", "problem", f"{address} is up but not ready: {answer.text[:200]}")
    if damaged := answer.json().get("damaged"):
        return Finding("event store", "problem", str(damaged))
    return Finding("server", "ok", f"answers at {address}")


def _token(chosen: options.Options) -> Finding:
    if chosen.token or owner_token(chosen.data):
        return Finding("token", "ok", "the command line has one")
    return Finding(
        "token",
        "problem",
        "The command line has no token. For an owner, the first or one that is there: whytree owner you@example.org; "
        "elsewhere set WHYTREE_TOKEN.",
    )


def _provider(chosen: options.Options) -> Finding:
    if not chosen.oidc_issuer:
        return Finding("sign-in", "ok", "by password; no OpenID provider is set")
    import httpx

    address = f"{chosen.oidc_issuer}/.well-known/openid-configuration"
    try:
        told = httpx.get(address, timeout=10).raise_for_status().json()["issuer"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return Finding(
            "sign-in", "problem", f"{address} does not describe a provider: {error}. Check WHYTREE_OIDC_ISSUER."
        )
    if str(told).rstrip("/") != chosen.oidc_issuer:
        return Finding("sign-in", "problem", f"That provider says to be {told}. Set WHYTREE_OIDC_ISSUER to that.")
    if not chosen.public_url:
        return Finding("sign-in", "advice", "Set WHYTREE_PUBLIC_URL: the provider sends people back to it.")
    return Finding("sign-in", "ok", f"{told} sends people back to {chosen.public_url}/sign-in/provider/back")


def _hosts(chosen: options.Options) -> Finding:
    if chosen.host in {"127.0.0.1", "localhost", "::1"} or chosen.public_url.startswith("https://"):
        return Finding("address", "ok", chosen.base_url)
    return Finding(
        "address",
        "advice",
        "Others can reach this server without https. Put a proxy with TLS in front and set WHYTREE_PUBLIC_URL.",
    )


def _mail(chosen: options.Options) -> Finding:
    """Whether the mail server is there; what it takes is seen by sending one."""
    if not chosen.smtp_url:
        return Finding("mail", "ok", "none is sent: WHYTREE_SMTP_URL names no server")
    parts = urlsplit(chosen.smtp_url)
    host, port = parts.hostname or "localhost", parts.port or (465 if parts.scheme == "smtps" else 587)
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        return Finding("mail", "problem", f"{host}:{port} does not answer: {error}. Check WHYTREE_SMTP_URL.")
    if not chosen.public_url:
        text = f"{host}:{port} answers, but links in mails lead to {chosen.base_url}. Set WHYTREE_PUBLIC_URL."
        return Finding("mail", "advice", text)
    return Finding("mail", "ok", f"{host}:{port} answers. Try it: whytree digest --send")


def _proxy(chosen: options.Options) -> Finding:
    if chosen.trusted_proxy or not chosen.public_url.startswith("https://"):
        return Finding("proxy", "ok", ", ".join(chosen.trusted_proxy) or "none is trusted, none is needed")
    return Finding(
        "proxy",
        "advice",
        "People come through a proxy, so all share its address when wrong passwords are counted. Name it: WHYTREE_TRUSTED_PROXY=127.0.0.1",
    )


def _stores(chosen: options.Options) -> list[Finding]:
    """Both stores, opened here only when no server holds them."""
    if chosen.url or running_server(chosen.data):
        return []
    try:
        from .boot import prepare

        prepare()
        from whytree.errors import WhytreeError
        from whytree.stores.engine.damage import damage
    except CommandError as error:
        return [Finding("database", "problem", error.message)]
    found = [Finding("database", "ok", chosen.database_url.split("://")[0])]
    try:
        damaged = damage()
    except WhytreeError as error:
        damaged = error.message
    if damaged:
        return [*found, Finding("event store", "problem", damaged)]
    return [*found, Finding("event store", "ok", chosen.events_url.split("://")[0])]


def _metrics() -> list[Finding]:
    """Whether what is measured is sent; nothing where there is no product to ask about."""
    from whytree.workspace.terminal.client import connect

    try:
        client = connect()
        silences = client.get(f"/products/{client.product}/metrics-check")
    except CommandError:
        return []
    if not silences:
        return [Finding("metrics", "ok", "every event that a metric names was sent in the last week")]
    more = f" And {len(silences) - 3} more." if len(silences) > 3 else ""
    said = " ".join(one["says"] for one in silences[:3])
    return [Finding("metrics", "advice", f"{said}{more} All of them: whytree metric check")]
