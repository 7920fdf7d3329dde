"""What may change people: their profiles, and which ids are one person."""

from .forgetting import erase, everything_of, finish, ids_of
from .joining import follow_edges, follow_rows, join, retract_links, separate
from .profiles import ensure_person, refresh_seen, set_internal, update_profiles

__all__ = [
    "ensure_person",
    "erase",
    "everything_of",
    "finish",
    "follow_edges",
    "follow_rows",
    "ids_of",
    "join",
    "refresh_seen",
    "retract_links",
    "separate",
    "set_internal",
    "update_profiles",
]
