"""Mail over a real server: what leaves, and what happens when it is not taken."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.workspace.smtp import Mailbox, mail_server
from whytree import options
from whytree.errors import Conflict, Unavailable
from whytree.workspace.outside import mail as mails
from whytree.workspace.outside.mail import Mail, MailRefused, send

MAIL = Mail("ana@example.org", "Hello", "Größe\n", "<p>Größe</p>", "https://example.org/stop")


@pytest.fixture
def box(settings: Any) -> Iterator[Mailbox]:
    with mail_server() as box:
        settings.WHYTREE = replace(settings.WHYTREE, smtp_url=box.url, mail_from="Sprout <sprout@example.org>")
        yield box


def test_a_long_address_that_ends_mails_stands_on_one_line() -> None:
    address = "https://whytree.example.org/replies/stop/12801.5mPEj_SUD5h9EVSXiTE708KMwT29I_6yaBnWwP2q5I"
    assert f"\nList-Unsubscribe: <{address}>\n".encode() in mails._message(replace(MAIL, stop_url=address)).as_bytes()


def test_it_arrives_as_text_and_html_and_can_be_ended_by_one_click(box: Mailbox) -> None:
    send(MAIL)
    (mail,) = box.mails
    assert (mail["From"], mail["To"], mail["Subject"]) == ("Sprout <sprout@example.org>", "ana@example.org", "Hello")
    assert mail["List-Unsubscribe"] == "<https://example.org/stop>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Message-ID"].endswith("@example.org>")
    assert mail["Date"]
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text
    assert html
    assert (text.get_content().strip(), html.get_content().strip()) == ("Größe", "<p>Größe</p>")


def test_what_users_wrote_adds_no_header(box: Mailbox) -> None:
    send(replace(MAIL, subject="Hi\r\nBcc: mallory@example.org\x1b[31m"))
    (mail,) = box.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Hi Bcc: mallory@example.org␛[31m"


@pytest.mark.parametrize(
    "to",
    [
        "a@x.org, b@y.org",
        "a@x.org;b@y.org",
        "team: a@x.org, b@y.org;",
        "a@x.org\r\nBcc: b@y.org",
        "Ana <a@x.org>",
        "ana",
        "\ud800@x.org",
    ],
)
def test_an_address_from_outside_is_one_mailbox_or_none(box: Mailbox, to: str) -> None:
    """A profile's address comes with events, and so from anybody who has the public key."""
    with pytest.raises(MailRefused):
        send(replace(MAIL, to=to))
    assert box.mails == []


def test_it_signs_in_where_it_may(box: Mailbox, settings: Any) -> None:
    box.offers = ["AUTH PLAIN"]
    settings.WHYTREE = replace(settings.WHYTREE, smtp_url=box.url.replace("//", "//ana%40x:p%2Fw@"))
    send(MAIL)
    assert len(box.logins) == 1


def test_a_password_is_not_sent_without_tls(settings: Any) -> None:
    with mail_server("127.0.0.2") as box:  # another machine, for all that the rule knows
        box.offers = ["AUTH PLAIN"]
        settings.WHYTREE = replace(settings.WHYTREE, smtp_url=box.url.replace("//", "//ana:pw@"))
        with pytest.raises(Unavailable, match="offers no TLS"):
            send(MAIL)
    assert (box.logins, box.mails) == ([], [])


def test_it_tells_later_from_never(box: Mailbox) -> None:
    box.answers = ["450 busy", "550 no such \x1b[31mperson"]
    with pytest.raises(Unavailable, match="450 busy"):
        send(MAIL)
    with pytest.raises(MailRefused, match="550 no such ␛"):
        send(MAIL)
    assert box.mails == []


def test_nobody_there_is_later_and_no_setting_is_a_sentence(settings: Any) -> None:
    settings.WHYTREE = replace(settings.WHYTREE, smtp_url="smtp://127.0.0.1:9")
    with pytest.raises(Unavailable, match="does not answer"):
        send(MAIL)
    settings.WHYTREE = replace(settings.WHYTREE, smtp_url="")
    with pytest.raises(Conflict, match="WHYTREE_SMTP_URL"):
        send(MAIL)


def test_doctor_looks_whether_the_server_is_there() -> None:
    from whytree.site.doctor import _mail

    with mail_server() as box:
        found = _mail(options.read({"WHYTREE_SMTP_URL": box.url}))
        assert (found.state, "WHYTREE_PUBLIC_URL" in found.text) == ("advice", True), "links would lead nowhere"
        reached = {"WHYTREE_SMTP_URL": box.url, "WHYTREE_PUBLIC_URL": "https://why.example"}
        assert _mail(options.read(reached)).state == "ok"
    found = _mail(options.read({"WHYTREE_SMTP_URL": box.url.replace("//", "//ana:secret@")}))
    assert (found.state, "secret" in found.text) == ("problem", False)
    assert "WHYTREE_SMTP_URL" in _mail(options.read({})).text


def test_a_setting_that_is_no_mail_server_is_refused_without_showing_it() -> None:
    with pytest.raises(options.OptionError, match="start it with smtp:// or smtps://") as raised:
        options.read({"WHYTREE_SMTP_URL": "http://user:secret@host"})
    assert "secret" not in str(raised.value)


def test_marks_that_part_lines_elsewhere_do_not_keep_a_mail_from_leaving(box: Mailbox) -> None:
    send(replace(MAIL, subject="“one\u2028two\u2029three\x85four”"))
    (mail,) = box.mails
    assert "one two three" in mail["Subject"]
