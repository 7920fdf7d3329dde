"""What takes long and is asked again and again: kept for a while, and worked out by one thread for all who ask meanwhile.

    found = at_most("answer:...", 60, lambda: answer(product, question))   # so many seconds old, by its own `as_of`

Twenty people on one board whose answers just grew too old would otherwise ask the store the same twenty times at once. In
the last part of its time, whoever asks takes what there is and has it renewed: in a server by a thread behind the requests
(`renew_behind`), so that nobody waits for what many look at; elsewhere the first who asks does it.

What took long may be older: with twenty million events a review takes seconds, and to renew it every half minute would
keep a core busy (`WORTH`). Nor does a page of a server wait for it (`PATIENCE`): it shows what was known last, has it
renewed, and says from when that is (`once.Page.oldest`). Whoever asks by another door, or in an act, waits.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Protocol, TypeVar

from django.core.cache import cache
from django.db import close_old_connections
from django.utils import timezone

from ..models import Activity, Product
from .once import current_page

log = logging.getLogger("whytree")

#: Share of its time after which something is worked out anew.
EARLY = 0.5
#: Something may be so many times as old as it took to work out: renewing it then takes a twentieth of one thread at most.
WORTH = 40
#: Seconds that a page waits. What took longer is shown as it was known last, while that is kept.
PATIENCE = 0.2
KEPT_SECONDS = 24 * 3600
#: The act by which somebody is forgotten.
ERASE = "erase_person"


class Dated(Protocol):
    """Says from when it is."""

    @property
    def as_of(self) -> datetime: ...


Found = TypeVar("Found", bound=Dated)
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class _Known:
    found: Any
    took: float = 0.0
    """Seconds."""


@dataclass(eq=False)
class _Work:
    """Something that is worked out, or waits behind the requests for its turn."""

    done: "Future[Any]" = field(default_factory=Future)
    queued: "Future[None] | None" = None

    def take_over(self) -> bool:
        """Whether it only waited for its turn, and is now the caller's to do. Call this with `_guard` held."""
        queued, self.queued = self.queued, None
        return queued is not None and queued.cancel()


_guard = threading.Lock()
_under_way: dict[str, _Work] = {}
_behind: ThreadPoolExecutor | None = None


def at_most(key: str, seconds: float, make: Callable[[], Found]) -> Found:
    """What is kept under `key` while it is young enough, else what `make` gives or raises."""
    known: _Known | None = cache.get(key)
    age = timezone.now() - known.found.as_of if known is not None else timedelta.max
    lasts = timedelta(seconds=max(seconds, WORTH * known.took)) if known is not None else timedelta(0)
    is_young = timedelta(0) <= age < lasts
    page = current_page()
    old: Found | None = None  # what may be shown while it is worked out anew
    if known is not None and (is_young or (page and _behind and _may_be_shown(known))):
        old = known.found
    if old is not None and age < lasts * EARLY:
        return old
    with _guard:
        work = _under_way.get(key)
        is_mine = work is None
        if work is None:
            work = _under_way[key] = _Work()
            if old is not None and _behind is not None:
                work.queued, is_mine = _behind.submit(_logged, key, lambda: _worked_out(key, make, work)), False
        elif old is None:
            is_mine = work.take_over()
    if is_mine:
        return _worked_out(key, make, work)
    if old is not None:
        if page and not is_young:
            page.shows(old.as_of)
        return old
    shared: Found = work.done.result()
    return shared


def _may_be_shown(known: _Known) -> bool:
    """On a page, though it is too old. Who was forgotten since, by whichever process, is in none."""
    as_of = known.found.as_of
    if known.took <= PATIENCE or as_of > timezone.now():
        return False
    acts = Activity.objects.filter(product__in=Product.objects.all(), at__gte=as_of)  # by product, as the index is
    return not acts.filter(verb=ERASE).exists()


def forget_everything() -> None:
    """Somebody was forgotten: what this process keeps may tell of them."""
    cache.clear()


def put(key: str, found: Dated, *, took: float = 0.0) -> None:
    """Let this be what is known; `took` are seconds."""
    cache.set(key, _Known(found, took), KEPT_SECONDS)


@dataclass(frozen=True)
class _Kept:
    as_of: datetime
    answer: Any


def kept(what: str, facts: Sequence[Any], seconds: float, make: Callable[[], Answer]) -> Answer:
    """The same of what does not say from when it is; `facts` are all that it depends on beside time."""
    answer: Answer = at_most(_key(what, facts), seconds, lambda: _Kept(timezone.now(), make())).answer
    return answer


def keep(what: str, facts: Sequence[Any], answer: Any) -> None:
    """Let this be what `kept` knows."""
    put(_key(what, facts), _Kept(timezone.now(), answer))


def _key(what: str, facts: Sequence[Any]) -> str:
    return f"{what}:{hashlib.sha256(json.dumps(facts).encode()).hexdigest()}"


def _worked_out(key: str, make: Callable[[], Found], work: _Work) -> Found:
    started = monotonic()
    try:
        made = make()
        put(key, made, took=monotonic() - started)
        work.done.set_result(made)
        return made
    except BaseException as error:
        work.done.set_exception(error)
        raise
    finally:
        with _guard:
            _under_way.pop(key, None)


def renew_behind() -> None:
    """Have a thread for renewals from now on; only a server does that. One thread, so that they never take every core."""
    global _behind
    with _guard:
        _behind = _behind or ThreadPoolExecutor(1, thread_name_prefix="renew")


def behind(work: Callable[[], object]) -> None:
    """Have it done by that thread in its turn; not at all where there is none, or where it ends before."""
    if _behind is not None:
        _behind.submit(_logged, "what waited behind the requests", work)


def _logged(name: str, work: Callable[[], object]) -> None:
    """In the thread behind the requests. What fails is told to whoever asks for it next."""
    close_old_connections()
    try:
        work()
    except Exception:  # whatever it was: the thread lives on, and who asks once it is too old meets it
        log.warning("%s could not be worked out", name.partition(":")[0], exc_info=True)
    finally:
        close_old_connections()


def stop_renewing() -> None:
    """End with the one that is under way."""
    global _behind
    with _guard:
        behind, _behind = _behind, None
        waiting = [work for work in _under_way.values() if work.take_over()]
    for work in waiting:
        work.done.cancel()
    if behind is not None:
        behind.shutdown(cancel_futures=True)
