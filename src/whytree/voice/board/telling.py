"""Tell what is new: to those who want it by mail, to a program by a signed webhook, to readers by Atom."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from whytree.people.queries import people_by_key
from whytree.workspace import webhooks
from whytree.workspace.mail import Mail, MailRefused, is_set, send
from whytree.workspace.outgoing import Refused

from .models import Board, Entry, EntryKind, EntryState, News, NewsKind
from .visits import stop_token

_ATOM = "http://www.w3.org/2005/Atom"


def tell(news: News) -> int:
    """The webhook first, then everybody by mail; how many mails went.

    Raises `Unavailable`: another attempt goes on where this one stopped.
    """
    post = news.post
    board = Board.objects.filter(product=post.item.product_id, is_open=True).select_related("product").first()
    if board is None or post.state != EntryState.PUBLIC:
        return 0
    if board.webhook and not news.told_webhook:
        with suppress(Refused):  # it will not be taken, whenever it is sent; people are still told
            webhooks.post_signed(board.webhook, board.secret, f"msg_board_{news.pk}", message(news))
        news.told_webhook = True
        news.save(update_fields=["told_webhook"])
    return _mail_all(news, board) if is_set() and news.kind != NewsKind.PUBLISHED else 0


def message(news: News) -> dict[str, Any]:
    """Of the post only what is public, and nobody's name or address."""
    post = news.post
    return {
        "type": f"board.{news.kind}",
        "timestamp": news.at.isoformat(),
        "data": {
            "post": post.item.ref,
            "title": post.title,
            "status": news.progress or post.progress,
            "answer": news.remark.text if news.remark else None,
            "url": post_url(post),
        },
    }


def post_url(post: Entry) -> str:
    return settings.WHYTREE.base_url + reverse("board_post", args=[post.item.product.slug, post.number])


def _mail_all(news: News, board: Board) -> int:
    sent = 0
    for entry, address in _readers(news):
        stop = settings.WHYTREE.base_url + reverse("board_stop", args=[stop_token(entry)])
        try:
            send(Mail(address, f"{board.product.name}: {news.headline}"[:200], _letter(news, stop), stop_url=stop))
            sent += 1
        except MailRefused:
            pass  # this address takes none; the others do
        news.mailed = [*news.mailed, entry.pk]
        news.save(update_fields=["mailed"])
    return sent


def _readers(news: News) -> list[tuple[Entry, str]]:
    """Who wants it and has an address, once each; without those who had enough, or got this one already."""
    theirs = Q(pk=news.post_id) | Q(post=news.post_id, kind=EntryKind.VOTE)
    entries = (
        Entry.objects.filter(theirs, muted=False).exclude(item__person_key="").select_related("item").order_by("pk")
    )
    people = people_by_key(news.post.item.product, list({one.item.person_key for one in entries}))
    found: dict[str, tuple[Entry, str]] = {}
    for one in entries:
        person = people.get(one.item.person_key)
        if person is not None and person.email and one.pk not in news.mailed:
            found.setdefault(person.email.lower(), (one, person.email))
    return list(found.values())


def _letter(news: News, stop: str) -> str:
    said = news.remark.text if news.remark else f"“{news.post.title}” is now: {news.get_progress_display()}."
    about = f"You wanted this: {news.post.title}\n\n" if news.remark else ""
    return f"{about}{said}\n\n{post_url(news.post)}\n\nNo more mail about this post: {stop}"


def as_atom(board: Board, news: Sequence[News]) -> bytes:
    """RFC 4287. What is written in it is text, never markup."""
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")
    home = settings.WHYTREE.base_url + reverse("public_board", args=[board.product.slug])
    updated = max((one.at for one in news), default=board.product.created_at)
    _said(feed, id=home, title=f"{board.product.name}: what you asked for", updated=updated.isoformat())
    _said(ElementTree.SubElement(feed, f"{{{_ATOM}}}author"), name=board.product.name)
    own = settings.WHYTREE.base_url + reverse("board_feed", args=[board.product.slug])
    ElementTree.SubElement(feed, f"{{{_ATOM}}}link", rel="self", href=own)
    for one in news:
        entry = ElementTree.SubElement(feed, f"{{{_ATOM}}}entry")
        _said(entry, id=f"{home}#news-{one.pk}", title=one.headline, updated=one.at.isoformat())
        ElementTree.SubElement(entry, f"{{{_ATOM}}}link", href=post_url(one.post))
        _said(entry, content=one.remark.text if one.remark else one.post.words or one.post.title)
    written: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _said(parent: ElementTree.Element, **texts: str) -> None:
    for tag, text in texts.items():
        ElementTree.SubElement(parent, f"{{{_ATOM}}}{tag}").text = _xml(text)


def _xml(text: str) -> str:
    """Without what no XML may hold."""
    return "".join(one for one in text if one in "\t\n\r" or 0x20 <= ord(one) <= 0xD7FF or 0xE000 <= ord(one) != 0xFFFE)
