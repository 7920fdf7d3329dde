"""Reads the parts of a metric's definition: events with filters, numbers, days. Pure."""

from collections.abc import Mapping
from typing import Any

from whytree.errors import Invalid
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions.amounts import Part

from ..questions import label
from ..questions.parts import checked_field, checked_selection, selection_json

#: Longer, and nobody who entered this year would be counted before the next.
MAX_WITHIN_DAYS = 365
EVENT_LENGTH = 500


def event_json(did: Selection) -> object:
    """A plain event is its name."""
    if len(did.events) == 1 and not did.filters:
        return did.events[0]
    said = selection_json(did)
    return (
        {"event": did.events[0], **{k: v for k, v in said.items() if k != "events"}} if len(did.events) == 1 else said
    )


def read_event(raw: Mapping[str, Any], field: str) -> Selection:
    said = raw[field]
    if isinstance(said, Mapping):
        return checked_selection(said)
    if not isinstance(said, str) or not said.strip() or len(said) > EVENT_LENGTH or "\x00" in said:
        raise Invalid(f"“{field}” must be the name of an event, as your product sends it, or one with filters.")
    return checked_selection(said)


def read_property(raw: Mapping[str, Any]) -> str:
    found = checked_field(raw["property"])
    if not found:
        raise Invalid("“property” is the name of the number that comes with the event, as price.")
    return found


def read_whole(raw: Mapping[str, Any], field: str, low: int, high: int, of: str) -> int:
    value = raw[field]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Invalid(f"“{field}” must be a whole number of {of} from {low} to {high}.")
    return value


def read_percentile(raw: Mapping[str, Any]) -> int:
    value = raw.get("percentile", 50)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 99:
        raise Invalid("“percentile” is a whole number from 1 to 99: 50 is the median, 95 is p95.")
    return value


def read_part(raw: Mapping[str, Any], field: str) -> Part:
    said = raw[field]
    if isinstance(said, str):
        said = {"event": said}
    if not isinstance(said, Mapping):
        raise Invalid(f'“{field}” is an event, as {{"event": "paid", "measure": "sum:price"}}.')
    measure = said.get("measure", "total")
    selection = checked_selection({name: value for name, value in said.items() if name != "measure"})
    if measure in ("total", "people"):
        return Part(selection, measure)
    name, _, property_name = measure.partition(":") if isinstance(measure, str) else ("", "", "")
    if name != "sum" or not property_name.strip():
        raise Invalid(f"The “measure” of “{field}” is total, people, or sum with a property, as sum:price.")
    return Part(selection, "sum", checked_field(property_name))


def part_json(part: Part) -> dict[str, Any]:
    said = event_json(part.selection)
    measure = f"sum:{part.field}" if part.field else part.measure
    return {**(said if isinstance(said, dict) else {"event": said}), "measure": measure}


def part_words(part: Part, whom: str) -> str:
    event = label(part.selection)
    if part.measure == "sum":
        return f"the sum of {part.field} over “{event}”"
    return f"{whom} who did “{event}”" if part.measure == "people" else f"how often “{event}” happened"


def days_words(days: int) -> str:
    return "a day" if days == 1 else f"{days} days"
