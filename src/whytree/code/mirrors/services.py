"""What may be done about mirrors. Copying and reading are a job's: `jobs.py`."""

from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from whytree.errors import Conflict, Invalid, NotFound
from whytree.workspace.background.jobs import enqueue
from whytree.workspace.models import Product
from whytree.workspace.outside.outgoing import check_url
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

from ..cleaning import clean
from ..models import Mirror

READ = "code.read_mirror"
MOST_MIRRORS = 20  # of one product
_EXAMPLE = "https://github.com/acme/sprout"


def mirror_repository(
    actor: Actor, product: Product, *, url: str, name: str = "", with_code: bool = False, with_hunks: bool = True
) -> Mirror:
    """Let the server copy this public address, read it soon, and again every hour. The same one again is read now."""
    require(actor, product, Role.MAINTAINER)
    if not settings.WHYTREE.mirror_mb:
        raise Conflict("This server mirrors nothing (WHYTREE_MIRROR_MB=0). Read your clone: whytree repository add")
    url = _checked(url)
    with transaction.atomic():
        known = Mirror.objects.filter(product=product, url=url).first()
        if known is None and Mirror.objects.filter(product=product).count() >= MOST_MIRRORS:
            raise Conflict(f"{product.name} mirrors {MOST_MIRRORS} repositories already. Stop one of them first.")
        mirror = known or Mirror(product=product, url=url)
        before = snapshot(known) if known else None
        mirror.name = clean(name).strip().replace(":", "-")[:100] or mirror.name or _name_in(url)
        mirror.with_code, mirror.with_hunks = with_code, with_hunks
        if mirror.state in {Mirror.State.READ, Mirror.State.FAILED}:
            mirror.state, mirror.says = Mirror.State.WAITING, ""
        mirror.save()
        if before != snapshot(mirror):
            record(actor, product, "mirror_repository", mirror, before=before, after=snapshot(mirror), undoable=False)
    enqueue(READ, {"mirror": mirror.pk}, key=str(mirror.pk))
    return mirror


def stop_mirror(actor: Actor, product: Product, pk: int) -> Mirror:
    """Copy it no more. What was read of it stays."""
    require(actor, product, Role.MAINTAINER)
    mirror = find_mirror(product, pk)
    with transaction.atomic():
        record(actor, product, "stop_mirror", mirror, before=snapshot(mirror), after=None, undoable=False)
        Mirror.objects.filter(pk=pk).delete()
    enqueue(READ, {"mirror": pk}, key=str(pk))  # finds no mirror, and takes the copy away
    return mirror


def find_mirror(product: Product, pk: int) -> Mirror:
    mirror = Mirror.objects.filter(product=product, pk=pk).select_related("product").first()
    if mirror is None:
        raise NotFound(f"There is no such mirror in {product.name}. See: whytree repository mirror")
    return mirror


def _checked(url: str) -> str:
    url = check_url(url, _EXAMPLE)
    parts = urlsplit(url)
    if parts.query or parts.fragment or not parts.path.strip("/"):
        raise Invalid(f"Give a repository's own address, without ? and #, as {_EXAMPLE}")
    return url.rstrip("/")


def _name_in(url: str) -> str:
    path = urlsplit(url).path.rstrip("/").removesuffix(".git").rstrip("/")
    return path.rpartition("/")[2].replace(":", "-")[:100] or "mirror"
