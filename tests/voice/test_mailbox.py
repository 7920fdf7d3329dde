"""A mailbox is looked into: each mail once, broken ones in nobody's way, nothing lost half-way."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from whytree.errors import Conflict, Unavailable
from whytree.voice.arriving import mailbox
from whytree.voice.models import FeedbackItem, VoiceSettings

from .conftest import Done
from .imap import Folder, imap_server


@pytest.fixture
def box(settings: Any) -> Iterator[Folder]:
    with imap_server() as folder:
        settings.WHYTREE = replace(settings.WHYTREE, imap_url=folder.url)
        yield folder


def mail(number: int, text: str, *headers: str, sender: str = "Mira <mira@example.com>") -> bytes:
    head = [
        f"From: {sender}",
        f"Message-ID: <m{number}@example.com>",
        "Subject: Sign-up",
        "Date: Mon, 2 Mar 2026 09:00:00 +0000",
    ]
    return "\r\n".join([*head, *headers, "", text, ""]).encode()


def test_what_is_new_lands_once_and_is_marked_as_read(
    product: Any, box: Folder, settings: Any, monkeypatch: Any
) -> None:
    settings.WHYTREE = replace(settings.WHYTREE, mail_from="Sprout <hello@grow.example>")
    monkeypatch.setattr(mailbox, "MOST_OF_ONE", 2_000)
    box.mails = [
        mail(1, "It asked for my number.\r\n\r\n> quoted\r\n-- \r\nMira"),
        mail(2, "I am away until May.", "Auto-Submitted: auto-replied"),
        mail(3, "ours", sender="Bob <bob@sprout.example>"),
        mail(4, ""),
        mail(5, "x" * 3_000),
        mail(6, "Our own mail, sent on to us", sender="hello@grow.example"),
    ]
    box.mails[3] = box.mails[3].replace(b"Subject: Sign-up", b"Subject: ")
    VoiceSettings.objects.create(product=product, team=["sprout.example"])
    looked = mailbox.poll()
    assert looked is not None
    assert (looked.taken, looked.left_out, looked.known) == (1, 3, 0)
    assert (looked.empty, looked.unreadable) == (1, 1)
    assert box.seen == {1, 2, 3, 4, 5, 6}
    item = FeedbackItem.objects.get()
    assert (item.text, item.person_key) == ("Sign-up\n\nIt asked for my number.", "mira@example.com")
    assert (item.source_type, item.submission_id) == ("mail", "<m1@example.com>")


def test_a_mail_under_a_known_id_changes_nobodys_words(product: Any, box: Folder) -> None:
    box.mails = [mail(1, "As it was")]
    mailbox.poll()
    box.mails.append(mail(1, "Forged", sender="eve@example.net"))
    looked = mailbox.poll()
    assert looked is not None
    assert looked.known == 1
    assert FeedbackItem.objects.get().text == "Sign-up\n\nAs it was"


def test_a_line_that_goes_dead_loses_nothing(product: Any, box: Folder) -> None:
    box.mails, box.breaks_after = [mail(at, f"Mail {at}") for at in range(1, 4)], 1
    with pytest.raises(Unavailable):
        mailbox.poll()
    assert box.seen == {1}
    box.breaks_after = 100
    mailbox.poll()
    assert FeedbackItem.objects.count() == 3


def test_what_is_wrong_is_said(product: Any, actor: Any, box: Folder, settings: Any, other_product: Any) -> None:
    url = box.url
    for wrong, error in (
        (url.replace("p%2Fw", "guessed"), Unavailable),
        (url.replace("/INBOX", "/Elsewhere"), Conflict),
        (url.replace("product=sprout", "product=nobody"), Conflict),
        (url.partition("?")[0], Conflict),  # there are two products
        ("", Conflict),
    ):
        settings.WHYTREE = replace(settings.WHYTREE, imap_url=wrong)
        with pytest.raises(error):
            mailbox.look(actor, product)
    settings.WHYTREE = replace(settings.WHYTREE, imap_url=url.partition("?")[0])
    assert mailbox.poll() is None


def test_the_imports_page_says_whose_voices_mail_becomes(
    product: Any, other_product: Any, settings: Any, as_alice: Any
) -> None:
    for address, expected in (
        ("", False),
        ("imaps://host/INBOX?product=sprout", True),
        (f"imaps://host/INBOX?product={other_product.slug}", False),
        ("imaps://host/INBOX", False),
    ):
        settings.WHYTREE = replace(settings.WHYTREE, imap_url=address)
        said = as_alice.get("/p/sprout/voices/imports").content.decode()
        assert ("looked into every five minutes" in said) is expected


def test_by_hand(product: Any, box: Folder, api: Any, api_bob: Any, cli: Callable[..., Done]) -> None:
    box.mails = [mail(1, "One"), mail(2, "Two")]
    assert api_bob.post("/products/sprout/feedback-mailbox").status == 403
    assert api.post("/products/sprout/feedback-mailbox").ok["taken"] == 2
    assert "0 taken" in cli("feedback", "poll").out
