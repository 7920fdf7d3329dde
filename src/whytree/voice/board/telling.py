"""Tell what is new: to those who want it by mail, to a program by a signed webhook, to readers by Atom."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from whytree.people.queries import people_by_key
from whytree.voice.atom import Item, as_atom
from whytree.workspace.outside import webhooks
from whytree.workspace.outside.mail import Mail, MailRefused, is_set, send
from whytree.workspace.outside.outgoing import Refused

from .models import Board, Entry, EntryKind, EntryState, News, NewsKind
from .visits import stop_token


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
    """Who wants it and has an address that is theirs, once each; without those who had enough, or got this one already."""
    theirs = Q(pk=news.post_id) | Q(post=news.post_id, kind=EntryKind.VOTE)
    entries = (
        Entry.objects.filter(theirs, muted=False).exclude(item__person_key="").select_related("item").order_by("pk")
    )
    people = people_by_key(news.post.item.product, list({one.item.person_key for one in entries}))
    found: dict[str, tuple[Entry, str]] = {}
    for one in entries:
        person = people.get(one.item.person_key)
        if person is not None and person.email_proved and one.pk not in news.mailed:
            found.setdefault(person.email.lower(), (one, person.email))
    return list(found.values())


def _letter(news: News, stop: str) -> str:
    said = news.remark.text if news.remark else f"“{news.post.title}” is now: {news.get_progress_display()}."
    about = f"You wanted this: {news.post.title}\n\n" if news.remark else ""
    return f"{about}{said}\n\n{post_url(news.post)}\n\nNo more mail about this post: {stop}"


def feed_of(board: Board, news: Sequence[News]) -> bytes:
    """What is new, as Atom."""
    home = settings.WHYTREE.base_url + reverse("public_board", args=[board.product.slug])
    own = settings.WHYTREE.base_url + reverse("board_feed", args=[board.product.slug])
    items = [
        Item(
            id=f"{home}#news-{one.pk}",
            title=one.headline,
            updated=one.at,
            link=post_url(one.post),
            content=one.remark.text if one.remark else one.post.words or one.post.title,
        )
        for one in news
    ]
    name = board.product.name
    title = f"{name}: what you asked for"
    return as_atom(home=home, own=own, title=title, author=name, since=board.product.created_at, items=items)
