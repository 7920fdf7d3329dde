"""What the event store can say no with.

Unavailable
└── StoreUnavailable   503  the engine cannot be reached, is full, or is held by another process: try again, lose nothing
    └── StoreLocked    503  another process holds the folder of the in-process engine
StoreRefused                the engine will never take these rows as they are; `commit` finds the culprit
"""

from whytree.errors import Unavailable, WhytreeError


class StoreUnavailable(Unavailable):
    """The store cannot answer now; the same call may succeed later."""


class StoreLocked(StoreUnavailable):
    """Another process holds the folder; the message names it."""


class StoreRefused(WhytreeError):
    """The store would refuse these rows at every later time too."""

    code = "store_refused"
