"""Slack, mail and archives: what people said, and nothing that a hostile file could do."""

import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from whytree.engines.tables import RowError, UnreadableTable
from whytree.engines.voices import open_export
from whytree.engines.voices.mail import own_words, read_message
from whytree.engines.voices.records import Said, plain

from .conftest import said

SLACK = {
    "users.json": [
        {"id": "U1", "name": "ann", "profile": {"real_name": "Ann Lee", "email": "ann@example.org"}},
        {"id": "U2", "name": "tom", "is_admin": True},
        {"id": "U3", "name": "bot", "is_bot": True},
    ],
    "channels.json": [{"id": "C1", "name": "feedback"}, {"id": "C2", "name": "random"}],
    "feedback/2026-01-02.json": [
        {"type": "message", "subtype": "channel_join", "user": "U1", "text": "joined", "ts": "1767348000.000100"},
        {
            "type": "message",
            "user": "U1",
            "text": "<@U2> see <https://a.b|here> &amp; <#C2|random>",
            "ts": "1767348000.000200",
            "reactions": [{"name": "+1", "count": 3}],
        },
        {
            "type": "message",
            "user": "U2",
            "text": "We look",
            "ts": "1767348001.000200",
            "thread_ts": "1767348000.000200",
        },
        {"type": "message", "user": "U3", "text": "beep", "ts": "1767348002.000200"},
    ],
    "random/2026-01-02.json": [{"type": "message", "user": "U1", "text": "lunch?", "ts": "1767348003.000200"}],
}


def test_slack_asks_which_channels(zipped: Any) -> None:
    with pytest.raises(UnreadableTable, match=r"Which channels\? .* feedback \(1 day\), random \(1 day\)"):
        open_export(zipped(SLACK))
    with pytest.raises(UnreadableTable, match="no channel “nope”"):
        open_export(zipped(SLACK), channels=["nope"])


def test_slack_resolves_names_and_leaves_bots_and_admins_out(zipped: Any) -> None:
    export = open_export(zipped(SLACK), channels=["#feedback"])
    assert export is not None
    (one,) = said(export)
    assert one["text"] == "@tom see here (https://a.b) & #random"
    assert (one["author_name"], one["author_email"]) == ("Ann Lee", "ann@example.org")
    assert one["submission_id"] == "C1 1767348000.000200"
    assert one["metadata"] == {"channel": "feedback", "reactions": 3}
    assert export.left_out == {"team": 1, "machine": 1}


def test_one_broken_day_costs_that_day(zipped: Any) -> None:
    export = open_export(zipped({**SLACK, "feedback/2026-01-03.json": "{"}), channels=["feedback"])
    assert export is not None
    assert [one for one in export if isinstance(one, RowError)] == [
        RowError(6, "feedback/2026-01-03.json: it is no JSON")
    ]


def test_a_bomb_a_way_out_and_a_lie_are_refused(zipped: Any, tmp_path: Path) -> None:
    with pytest.raises(UnreadableTable, match="far more than any export"):
        open_export(zipped({"users.json": "0" * 20_000_000, "channels.json": []}))
    with pytest.raises(UnreadableTable, match="outside itself"):
        open_export(zipped({"../../etc/passwd": "x", "users.json": [], "channels.json": []}))
    with pytest.raises(UnreadableTable, match=r"neither Slack nor Fider; it holds readme\.txt"):
        open_export(zipped({"readme.txt": "hello"}))
    cut = tmp_path / "cut.zip"
    cut.write_bytes(zipped(SLACK).read_bytes()[:200])
    with pytest.raises(UnreadableTable, match="damaged ZIP"):
        open_export(cut)


def test_a_member_that_is_larger_than_its_index_says_is_not_unpacked(zipped: Any, tmp_path: Path) -> None:
    """The directory says ten bytes; the data would be megabytes."""
    honest = zipped({**SLACK, "posts.json": "[" + "1," * 500_000 + "1]"}, "lie.zip")
    raw = bytearray(honest.read_bytes())
    with zipfile.ZipFile(honest) as archive:
        real = archive.getinfo("posts.json").file_size
    at = raw.find(struct.pack("<L", real), raw.find(b"PK\x01\x02"))
    raw[at : at + 4] = struct.pack("<L", 10)
    honest.write_bytes(raw)
    export = open_export(honest, channels=["feedback"])
    assert export is not None
    assert len(said(export)) == 1


MBOX = b"""From ann@example.org Fri Jan  2 10:00:00 2026
From: =?utf-8?q?Ann_L=C3=A9e?= <Ann@Example.org>
To: help@acme.example
Subject: =?utf-8?q?Re:_N=C3=BAmber?=
Date: Fri, 2 Jan 2026 10:00:00 +0100
Message-ID: <1@example.org>
References: <0@example.org> <x@example.org>
Content-Type: text/plain; charset=utf-8

I do not want to give it.
>From a friend I heard why.

On Thu, Jan 1, 2026 at 9:00 AM Help Desk <help@acme.example>
wrote:
> What is wrong?

From bot@example.org Fri Jan  2 10:00:00 2026
From: bot@example.org
Subject: Out of office
Auto-Submitted: auto-replied

I am away.

From html@example.org Fri Jan  2 10:00:00 2026
From: html@example.org
Subject: Offer
Message-ID: <2@example.org>
Content-Type: text/html; charset=utf-8

<p>Please <b>help</b></p><img src="https://track.example/x.gif"><script>steal()</script>
"""


def test_an_mbox_is_threads_of_what_people_wrote_themselves(opened: Any) -> None:
    export = opened(MBOX, "help.mbox")
    reply, offer = said(export)
    assert (reply["author_name"], reply["author_email"]) == ("Ann Lée", "ann@example.org")
    assert reply["text"] == "I do not want to give it.\nFrom a friend I heard why."
    assert (reply["said_at"], reply["metadata"]["thread"]) == ("2026-01-02T10:00:00+01:00", "<0@example.org>")
    assert reply["metadata"]["subject"] == "Númber"
    assert (offer["text"], offer["title"]) == ("Please help", "Offer")
    assert export.left_out == {"machine": 1}


def test_one_mail_is_known_by_its_header(opened: Any) -> None:
    mail = b"Return-Path: <a@example.org>\nFrom: A <a@example.org>\nSubject: Hi\n\nWords\n-- \nAnn\nACME\n"
    export = opened(mail, "message")
    assert export.recognised.name == "one mail (.eml)"
    (one,) = said(export)
    assert one["text"] == "Words"
    assert one["submission_id"].startswith("sha256:")


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.org\nContent-Type: text/plain; charset=nonsense\n\ncaf\xe9",
        b"From: a@b.org\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nhalf",
        b"From: a@b.org\nContent-Type: multipart/mixed\n\nno boundary at all",
        b"From: =?utf-8?b?!!!?= <a@b.org>\nDate: yesterday\nContent-Transfer-Encoding: base64\n\n%%%",
        b"From: \xff\xfe\nSubject: \x00\n\nwords",
        b"\x00" * 500,
        b"From: a@b.org\nContent-Type: message/rfc822\n\n" * 50,
    ],
)
def test_broken_mail_is_read_or_refused_and_never_stops_the_rest(raw: bytes) -> None:
    read = read_message(raw)
    if not isinstance(read, RowError):
        assert "\0" not in read.text
        read.text.encode("utf-8")


@pytest.mark.parametrize("raw", [b"X: y\n" * 600_000 + b"\nhi", b"\n\n" + b"x\r" * 600_000])
def test_mail_made_to_keep_us_busy_is_refused(raw: bytes) -> None:
    assert isinstance(read_message(raw), RowError)


def test_what_was_quoted_in_outlooks_way_is_no_word_of_theirs() -> None:
    assert own_words("Thanks!\n\nFrom: Help <h@b.org>\nSent: Monday\nTo: me\n\nOld words") == "Thanks!"
    assert own_words("From: my point of view it is bad") == "From: my point of view it is bad"


@pytest.mark.parametrize(
    "content", [b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello", b"1\n00:00:01,000 --> 00:00:02,000\nHello\n"]
)
def test_a_transcript_is_no_feedback(opened: Any, content: bytes) -> None:
    with pytest.raises(UnreadableTable, match="transcript of a talk"):
        opened(content, "talk.txt")


@pytest.mark.parametrize("opens", ["<!--", "<a ", "<![<", "<a b='", "</"])
def test_markup_made_to_keep_a_reader_busy_is_read_at_once(opens: str) -> None:
    began = time.process_time()
    assert plain(f"<p>Hello</p>{opens * 20_000}").startswith("Hello")
    assert time.process_time() - began < 1  # seconds of our own; it was minutes, or an error


@pytest.mark.parametrize(
    ("raw", "is_read"),
    [
        (b"To: " + b"a@b, " * 20_000 + b"\nFrom: ana@example.org\n\nHello", True),
        (b"From: ana@example.org\nContent-Type: text/plain; " + b"a=b; " * 20_000 + b"\n\nHello", True),
        (b"From: ana@example.org\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 20_000, False),
    ],
)
def test_a_mail_made_to_keep_a_reader_busy_is_read_or_refused_at_once(raw: bytes, is_read: bool) -> None:
    began = time.process_time()
    assert isinstance(read_message(raw), Said) is is_read
    assert time.process_time() - began < 1


def test_what_a_mail_program_marks_as_quoted_is_no_word_of_theirs() -> None:
    mail = (
        b"From: ann@example.org\nContent-Type: text/html\n\n<p>No place to park.</p>"
        b'<blockquote type="cite">Your class <blockquote>is</blockquote> booked.</blockquote><p>And no bus.</p>'
    )
    one = read_message(mail)
    assert isinstance(one, Said)
    assert one.text.split("\n") == ["No place to park.", "", "And no bus."]


def test_what_is_no_base64_stays_as_it_stands() -> None:
    head = b"From: ann@example.org\nContent-Transfer-Encoding: base64\nContent-Type: text/plain; charset=klingon\n\n"
    one = read_message(head + b"!!!! no base64 but words here\n")
    assert isinstance(one, Said)
    assert one.text == "!!!! no base64 but words here"


@pytest.mark.parametrize(
    ("charset", "words", "read"),
    [
        ("klingon-8", "M\u00fcnchen \u201egeht nicht\u201c".encode("cp1252"), "M\u00fcnchen \u201egeht nicht\u201c"),
        ("utf-8", b"M\xfcnchen", "M\u00fcnchen"),
        ("us-ascii", "Z\u00fcrich".encode(), "Z\u00fcrich"),
        ("rot13", b"obbx", "obbx"),
        ("utf-8", bytes(range(256)) * 8, ""),
    ],
)
def test_words_in_another_charset_than_they_say_are_read_and_noise_is_none(
    charset: str, words: bytes, read: str
) -> None:
    one = read_message(f"From: ann@example.org\nContent-Type: text/plain; charset={charset}\n\n".encode() + words)
    assert isinstance(one, Said)
    assert one.text == read


@pytest.mark.parametrize("header", ["X-Autoreply: yes", "Return-Path: <>", "Precedence: auto_reply"])
def test_programs_that_answer_by_themselves_in_older_ways_are_no_user(header: str) -> None:
    one = read_message(f"{header}\nFrom: ann@example.org\n\nI am away.".encode())
    assert isinstance(one, Said)
    assert one.speaker == "machine"
