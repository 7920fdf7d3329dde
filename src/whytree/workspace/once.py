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
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
Answer = TypeVar("Answer")

_answers: ContextVar[dict[Hashable, Any] | None] = ContextVar("answers", default=None)


@contextmanager
def one_page() -> Iterator[None]:
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def once_a_page(ask: Callable[P, Answer]) -> Callable[P, Answer]:
    @functools.wraps(ask)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Answer:
        known = _answers.get()
        if known is None:
            return ask(*args, **kwargs)
        key = (ask, args, tuple(sorted(kwargs.items())))
        if key not in known:
            known[key] = ask(*args, **kwargs)
        return cast("Answer", known[key])

    return asked
