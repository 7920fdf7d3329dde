"""PostHog's dashboards as boards. A tile names its insight, which comes along with it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .incoming import CannotCarry, Incoming, listed, mapping
from .posthog_reader import Reader, foreign_id, name_of

#: Of the twelve columns of PostHog's grid; ours has two.
HALF = 6


def insights_on(dashboards: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that came along on these dashboards only, each once."""
    found = {foreign_id("insight", one): one for dashboard in dashboards for one in _insights(dashboard)}
    for one in known:
        found.pop(foreign_id("insight", one), None)
    return list(found.values())


def _insights(dashboard: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for tile in map(mapping, listed(dashboard.get("tiles"))):
        insight = mapping(tile.get("insight"))
        if insight and not insight.get("deleted"):
            yield insight


def read_dashboard(thing: Mapping[str, Any], reader: Reader) -> Incoming:
    """A card names its question as `{"question": "insight 12"}`; `where` are filters of all of them."""
    if not isinstance(thing.get("tiles"), list):
        raise CannotCarry("a list of dashboards says not what is on them; bring each as /dashboards/ID gives it")
    tiles = [mapping(one) for one in thing["tiles"] if not mapping(one).get("deleted")]
    cards = [card for tile in sorted(tiles, key=_place) for card in _card(tile)]
    if not cards:
        raise CannotCarry("nothing is on it")
    filters = mapping(thing.get("filters"))
    days = reader.days({"dateRange": filters}, None)
    if set(days) - {"days"}:
        reader.notes.append("Its period was between two days; here each question has its own.")
    definition = {"days": days.get("days"), "where": reader.all_of(filters.get("properties")), "cards": cards}
    return Incoming(foreign_id("dashboard", thing), "board", name_of(thing), definition, notes=tuple(reader.notes))


def _card(tile: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    wide = _number(_layout(tile).get("w")) > HALF
    insight, words = mapping(tile.get("insight")), str(mapping(tile.get("text")).get("body") or "").strip()
    if insight:
        yield {"question": foreign_id("insight", insight), "name": name_of(insight), "wide": wide}
    elif words:
        yield {"text": words, "wide": wide}


def _place(tile: Mapping[str, Any]) -> tuple[float, float]:
    layout = _layout(tile)
    return _number(layout.get("y")), _number(layout.get("x"))


def _layout(tile: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(mapping(tile.get("layouts")).get("sm"))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and value == value else 0.0
