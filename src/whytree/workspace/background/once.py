"""What the parts of one page ask again and again: answered once while that page is drawn.

    @once_a_page
    def flags_of(solution): ...

A page's panels know nothing of each other, so several ask for the same rows. While somebody looks at a page (`one_page`,
which `doors.page` opens for GET alone) the first answer serves all of them; everywhere else, and in each act, every
question is asked anew. Arguments must be hashable, and nobody changes what is answered.
"""

import functools
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
Answer = TypeVar("Answer")


@dataclass
class Page:
    """What a page that is being drawn knows already. `oldest` is from when the oldest number is that is too old, if any is."""

    answers: dict[Hashable, Any] = field(default_factory=dict)
    oldest: datetime | None = None

    def shows(self, as_of: datetime) -> None:
        """A number from that time, which is being worked out anew."""
        self.oldest = min(self.oldest or as_of, as_of)


_page: ContextVar[Page | None] = ContextVar("page", default=None)


def current_page() -> Page | None:
    """None in an act, and at every other door."""
    return _page.get()


@contextmanager
def one_page() -> Iterator[None]:
    token = _page.set(Page())
    try:
        yield
    finally:
        _page.reset(token)


def once_a_page(ask: Callable[P, Answer]) -> Callable[P, Answer]:
    @functools.wraps(ask)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Answer:
        page = _page.get()
        if page is None:
            return ask(*args, **kwargs)
        key = (ask, args, tuple(sorted(kwargs.items())))
        if key not in page.answers:
            page.answers[key] = ask(*args, **kwargs)
        return cast("Answer", page.answers[key])

    return asked
