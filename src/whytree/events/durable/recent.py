"""What was seen lately, in bounded memory: the ids of events, and what was said about ids of people."""

from collections.abc import Iterable

from whytree.people.edges import EdgeKey

SIZE = 1_000_000  # of each of two generations: 1 to 2 million ids, up to 164 MB


class RecentIds:
    """A window of event ids. An id told again within it is a repetition; beyond it the sweeper finds it later.

    Used by the writing thread only.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._young: set[int] = set()
        self._old: set[int] = set()

    def add(self, ids: Iterable[int]) -> None:
        self._young.update(ids)
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()

    def forget(self) -> None:
        """Start anew; after rows were taken out, so that they may come again."""
        self._young, self._old = set(), set()

    def has_none_of(self, ids: Iterable[int]) -> bool:
        return self._young.isdisjoint(ids) and self._old.isdisjoint(ids)

    def __contains__(self, event_id: int) -> bool:
        return event_id in self._young or event_id in self._old


class RecentEdges:
    """What was said about people's ids, with the earliest time it was said for: most messages say nothing new.

    Read by many threads, written by one; a race costs a row that folds away.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._links: dict[EdgeKey, float] = {}
        self._known: dict[int, float] = {}  # by the hash of the person, which belongs to one product

    def is_new_link(self, key: EdgeKey, at: float) -> bool:
        return at < self._links.get(key, _NEVER)

    def is_newly_known(self, person: int, at: float) -> bool:
        return at < self._known.get(person, _NEVER)

    def add(self, key: EdgeKey, at: float) -> None:
        _, one, other, *_ = key
        if one == other:
            self._known[one] = at
        else:
            self._links[key] = at
        if len(self._links) + len(self._known) >= self._size:
            self._links, self._known = {}, {}


_NEVER = float("inf")
