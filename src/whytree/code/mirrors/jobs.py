"""Copies made and read in the background: asked for by a person, and of each mirror every hour."""

import fcntl
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from whytree.engines.links.tickets import tracker_of_remote
from whytree.errors import WhytreeError
from whytree.workspace.background.jobs import enqueue, handler, stopping
from whytree.workspace.entry.doors import INSIDE
from whytree.workspace.outside.outgoing import checked_host
from whytree.workspace.rights.actors import Actor

from ..models import Mirror, Repository
from .fetching import Limits, Source, fetch
from .reading import Ask, Wish, read_apart
from .services import READ

EVERY = timedelta(hours=1)
AGAIN = timedelta(days=1)


@handler("code.mirrors", every=EVERY)
def ask_for_all(payload: dict[str, Any]) -> None:
    """One job each, so that none waits for another's trouble."""
    for pk in Mirror.objects.values_list("pk", flat=True):
        enqueue(READ, {"mirror": pk}, key=str(pk))


@handler(READ, long=True)
def read_mirror(payload: dict[str, Any]) -> None:
    """Copy what is new and read it. What is in the way is written down; the next hour tries again."""
    pk = payload["mirror"]
    mirror = Mirror.objects.filter(pk=pk).select_related("product", "repository").first()
    folder = settings.WHYTREE.data / "mirrors" / f"{pk}.git"
    if mirror is None or not settings.WHYTREE.mirror_mb:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(".lock").unlink(missing_ok=True)
        return
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder) as alone:
        if alone:
            _read(mirror, folder)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other worker of this machine is at it. A job that runs long is given to another one after a while."""
    with folder.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _read(mirror: Mirror, folder: Path) -> None:
    mirror.tried_at = timezone.now()
    try:
        _note(mirror, Mirror.State.COPYING)
        host, port, address = checked_host(mirror.url)
        limits = Limits(settings.WHYTREE.mirror_mb * 1_000_000, stopping)
        head = fetch(Source(mirror.url, host, port, address), folder, limits)
        if _is_known(mirror, head):
            _note(mirror, Mirror.State.READ)
            return
        _note(mirror, Mirror.State.READING)
        tracker = tracker_of_remote(mirror.url)
        wish = Wish(
            mirror.product.slug, str(folder), mirror.name, tracker, mirror.with_code, with_hunks=mirror.with_hunks
        )
        told = read_apart(wish, _api(mirror), lambda says: _note(mirror, Mirror.State.READING, says), stopping)
    except WhytreeError as error:
        _note(mirror, Mirror.State.FAILED, error.message)
        return
    except Exception:  # a fault of ours, of whatever kind: the page says so, and the job keeps the traceback
        _note(
            mirror, Mirror.State.FAILED, "Something is wrong here, and the server's log says what. It is tried again."
        )
        raise
    mirror.repository = Repository.objects.filter(product=mirror.product, pk=told["id"]).first()
    mirror.read_at = timezone.now()
    _note(mirror, Mirror.State.READ)


def _is_known(mirror: Mirror, head: str) -> bool:
    """Nothing was pushed. Once a day it is read all the same: flags and fields to look for may be new."""
    fresh = mirror.read_at is not None and timezone.now() - mirror.read_at < AGAIN
    return fresh and mirror.repository is not None and mirror.repository.head == head


def _note(mirror: Mirror, state: Mirror.State, says: str = "") -> None:
    """Write down how far it is, unless somebody stopped it meanwhile."""
    mirror.state, mirror.says = state, says[:300]
    facts = {name: getattr(mirror, name) for name in ("state", "says", "repository", "tried_at", "read_at")}
    Mirror.objects.filter(pk=mirror.pk).update(**facts)


def _api(mirror: Mirror) -> Ask:
    """The REST API within this process, as a maintainer of the mirror's product and of no other."""
    import httpx
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    actor = Actor(None, f"the mirror of {mirror.name}"[:160], "api", product_id=mirror.product_id)

    def inside(environ: dict[str, Any], start: Any) -> Any:
        return application({**environ, INSIDE: actor}, start)

    http = httpx.Client(base_url="http://localhost", transport=httpx.WSGITransport(app=inside))

    def ask(method: str, path: str, params: Mapping[str, Any], body: Any) -> tuple[int, bytes]:
        words = {} if body is None else {"json": body}
        answer = http.request(method, f"/api{path}", params=dict(params), **words)
        return answer.status_code, answer.content

    return ask
