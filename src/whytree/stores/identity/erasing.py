"""Take a person out of the event store, exposures included, so that nothing can be read any more.

Each table is rewritten before the call returns (`mutations_sync`): a lightweight delete would leave the rows readable.
"""

from collections.abc import Collection

from ..events import store
from .people import reload_overrides

SEARCHED_FOR = 6
"""Ids of fewer characters are not looked for inside others' texts: `17` stands in too many."""

# The engine keeps what it was told to delete, word by word, for its next hundred changes: nobody's id may stand in it.
_MINE = {
    "events": "person IN {persons:Array(UInt64)} OR sipHash64(distinct_id) IN {hashed:Array(UInt64)}",
    "merge_edges": "one IN {persons:Array(UInt64)} OR other IN {persons:Array(UInt64)}",
    "person_overrides": "person IN {persons:Array(UInt64)} OR canonical IN {persons:Array(UInt64)}",
    "quarantine": "sipHash64(distinct_id, reason, body) IN {aside:Array(UInt64)}",
}
_HASHED = "SELECT arrayMap(each -> sipHash64(each), {ids:Array(String)}) AS hashed"
_ASIDE = """
SELECT groupUniqArray(sipHash64(distinct_id, reason, body)) AS aside FROM quarantine
WHERE product = {product:UInt32}
  AND (distinct_id IN {ids:Array(String)} OR multiSearchAny(concat(reason, ' ', body), {long:Array(String)}))
"""


def erase_person(product: int, persons: Collection[int], ids: Collection[str]) -> int:
    """Forget these people by the hashes and texts of all their ids; how many events went. Doing it again changes nothing."""
    named = {
        "product": product,
        "ids": sorted(ids),
        # multiSearchAny takes no empty list
        "long": sorted(each for each in ids if len(each) >= SEARCHED_FOR) or ["\0nobody\0"],
    }
    events = store()
    parameters = {
        "product": product,
        "persons": sorted(persons),
        "hashed": events.value(_HASHED, named),
        "aside": events.value(_ASIDE, named),
    }
    mine = f"product = {{product:UInt32}} AND ({_MINE['events']})"
    gone = int(events.value(f"SELECT count() FROM events WHERE {mine}", parameters))
    for table, condition in _MINE.items():
        where = f"product = {{product:UInt32}} AND ({condition})"
        if events.value(f"SELECT count() FROM {table} WHERE {where}", parameters):
            events.execute(f"ALTER TABLE {table} DELETE WHERE {where}", parameters, {"mutations_sync": 2})
    reload_overrides(events)
    return gone
