"""The picture that somebody sent along: looked at before it is kept, shown to members only, and taken away."""

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone

from whytree.engines.pictures import Picture, look_at
from whytree.errors import Invalid, NotFound, TooLarge
from whytree.voice.models import FeedbackItem, Screenshot
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role

MOST_BYTES = 1024 * 1024
MOST_PIXELS = 4_000
"""A side: what a browser shows without trouble, for a small file can unpack to a huge picture."""
PER_HOUR = 100
MOST_KEPT = 2_000
"""A product: whoever has its public key can send pictures, and the disk is ours."""


@dataclass(frozen=True)
class Sent:
    """A picture that may be kept."""

    picture: Picture
    data: str


def read_screenshot(said: object) -> Sent | None:
    """What stands in a data URL of base64; None where nothing was sent. Its own bytes say what it is, not the URL."""
    if said in (None, ""):
        return None
    head, comma, data = said.partition(",") if isinstance(said, str) else ("", "", "")
    if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
        raise Invalid("A screenshot is a data URL, as data:image/jpeg;base64,…")
    if len(data) > MOST_BYTES * 4 / 3 + 4:
        raise TooLarge("The picture has more than 1 MB. Cut it, or make it smaller.")
    try:
        found = look_at(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Invalid("The picture is damaged. Take it again.") from error
    if found is None:
        raise Invalid("This is no picture that can be shown here. Send a JPEG or a PNG.")
    if max(found.width, found.height) > MOST_PIXELS:
        raise Invalid(f"The picture is {found.width:,} by {found.height:,} pixels; {MOST_PIXELS:,} a side is the most.")
    return Sent(found, data)


def keep_screenshot(item: FeedbackItem, sent: Sent) -> bool:
    """False where more came lately, or lie here, than anybody looks at: the words are kept without it."""
    mine = Screenshot.objects.filter(item__product_id=item.product_id)
    lately = mine.filter(created_at__gt=timezone.now() - timedelta(hours=1)).count()
    if lately >= PER_HOUR or mine.count() >= MOST_KEPT:
        return False
    found = sent.picture
    Screenshot.objects.create(
        item=item, media_type=found.media_type, width=found.width, height=found.height, data=sent.data
    )
    return True


def find_screenshot(product: Product, number: int) -> Screenshot:
    found = Screenshot.objects.filter(item__product=product, item__number=number).select_related("item__product")
    one = found.first()
    if one is None:
        raise NotFound(f"No screenshot came with FB-{number}.")
    return one


def remove_screenshot(actor: Actor, screenshot: Screenshot) -> None:
    """It shows what it should not; the words stay."""
    item = screenshot.item
    require(actor, item.product, Role.MEMBER)
    with transaction.atomic():
        screenshot.delete()
        record(actor, item.product, "remove_screenshot", item, after={}, undoable=False)


def as_download(screenshot: Screenshot) -> HttpResponse:
    """For members, and for nothing but looking at: as what it was found to be, and kept by no cache."""
    return HttpResponse(
        screenshot.content,
        content_type=screenshot.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{screenshot.item.ref}.{screenshot.picture.ending}"',
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
        },
    )
