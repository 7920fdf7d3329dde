"""Take a person out of the event store, exposures included, so that nothing can be read any more.

Each table is rewritten before the call returns (`mutations_sync`): a lightweight delete would leave the rows readable.
"""

from collections.abc import Collection

from .events import store
from .people import reload_overrides

SEARCHED_FOR = 6
"""Ids of fewer characters are not looked for inside others' texts: `17` stands in too many."""

_MINE = {
    "events": "person IN {persons:Array(UInt64)} OR distinct_id IN {ids:Array(String)}",
    "merge_edges": "one IN {persons:Array(UInt64)} OR other IN {persons:Array(UInt64)}",
    "person_overrides": "person IN {persons:Array(UInt64)} OR canonical IN {persons:Array(UInt64)}",
    "quarantine": "distinct_id IN {ids:Array(String)} OR multiSearchAny(concat(reason, ' ', body), {long:Array(String)})",
}


def erase_person(product: int, persons: Collection[int], ids: Collection[str]) -> int:
    """Forget these people by the hashes and texts of all their ids; how many events went. Doing it again changes nothing."""
    parameters = {
        "product": product,
        "persons": sorted(persons),
        "ids": sorted(ids),
        # multiSearchAny takes no empty list
        "long": sorted(each for each in ids if len(each) >= SEARCHED_FOR) or ["\0nobody\0"],
    }
    events = store()
    mine = f"product = {{product:UInt32}} AND ({_MINE['events']})"
    gone = int(events.value(f"SELECT count() FROM events WHERE {mine}", parameters))
    for table, condition in _MINE.items():
        where = f"product = {{product:UInt32}} AND ({condition})"
        if events.value(f"SELECT count() FROM {table} WHERE {where}", parameters):
            events.execute(f"ALTER TABLE {table} DELETE WHERE {where}", parameters, {"mutations_sync": 2})
    reload_overrides(events)
    return gone
