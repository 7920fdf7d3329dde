"""What people type into fields."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from whytree.engines.typed import day_of, number_of, optional_day, optional_moment, whole_of
from whytree.errors import Invalid


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (day_of, " 2026-03-01 ", date(2026, 3, 1)),
        (optional_day, " ", None),
        (optional_moment, "2026-03-01 09:00", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        (optional_moment, "2026-03-01T09:00+02:00", datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=2)))),
        (optional_moment, "", None),
        (lambda text: number_of(text, "no"), " −31,5 % ", -31.5),
        (lambda text: number_of(text, "no"), "0,125", 0.125),
        (lambda text: whole_of(text, "no"), " 021 ", 21),
    ],
)
def test_it_is_read(read: Callable[[str], Any], text: str, said: object) -> None:
    assert read(text) == said


@pytest.mark.parametrize("text", ["", "soon", "nan", "1e999", "-1", "1.5", "٣", "1" * 10, "1" * 10_000])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=r"^Say it in days\.$"):
        whole_of(text, "Say it in days.")


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "1e999", "1.000,5", "1,000"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=r"^Write 31\.2\.$"):
        number_of(text, "Write 31.2.")


@pytest.mark.parametrize("read", [day_of, optional_day, optional_moment])
@pytest.mark.parametrize("text", ["soon", "2026-02-30", "2026-13-01T00:00"])
def test_what_is_no_day_is_refused_with_how_to_write_one(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(Invalid, match="Write it as 2026-03-01"):
        read(text)
