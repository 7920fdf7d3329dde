"""Makes it "then" in this process, so that an act of the past passes through the same service as one of today.

Every rule of Whytree asks `django.utils.timezone.now` for the time. While `moved_to` is open, that function answers with
the moment given; nothing else of the process is touched, no service knows, and no service needs a back door for dates.
Only the demo's loader does this, before it serves anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any
from unittest import mock


class _DatetimesStayDatetimes(type(datetime)):  # type: ignore[misc]
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, datetime)


@contextmanager
def moved_to(moment: datetime) -> Iterator[None]:
    """It is `moment` (with a time zone) inside the block.

    Models keep a reference to `timezone.now` as a default, so the function itself stays; the clock that it reads moves.
    """

    class Then(datetime, metaclass=_DatetimesStayDatetimes):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return moment.astimezone(tz)

    with mock.patch("django.utils.timezone.datetime", Then):
        yield
