"""An appointment that calendars read: escaped, folded between characters, in UTC."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from whytree.engines.calendar import appointment

AT = datetime(2026, 3, 2, 15, 30, tzinfo=timezone(timedelta(hours=1)))
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def made(**said: Any) -> str:
    facts = {"uid": "INT-3@sprout", "at": AT, "minutes": 30, "title": "Talk", "words": "", "url": "", "now": NOW}
    return appointment(**{**facts, **said})


def unfolded(file: str) -> list[str]:
    return file.replace("\r\n ", "").split("\r\n")


def test_one_event_with_its_time_in_utc() -> None:
    assert unfolded(made(url="https://example.org/INT-3")) == [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Whytree//Interviews//EN", "METHOD:PUBLISH", "BEGIN:VEVENT",
        "UID:INT-3@sprout", "DTSTAMP:20260301T000000Z", "DTSTART:20260302T143000Z", "DURATION:PT30M", "SUMMARY:Talk",
        "URL:https://example.org/INT-3", "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip


def test_what_is_typed_cannot_write_lines_of_its_own() -> None:
    rows = unfolded(made(title="Talk\r\nATTENDEE:x; y, z\\", words="one\ntwo"))
    assert "SUMMARY:Talk\\nATTENDEE:x\\; y\\, z\\\\" in rows
    assert "DESCRIPTION:one\\ntwo" in rows


@given(st.text(max_size=300))
def test_no_line_is_longer_than_75_octets_and_none_is_cut_inside_a_character(title: str) -> None:
    file = made(title=title)
    for row in file.split("\r\n"):
        assert len(row.encode("utf-8", "replace")) <= 75
    assert len(unfolded(file)) == 13
