"""GrowthBook's metrics and fact metrics, as its API gives them.

A metric there is SQL over a warehouse; it is carried where it says which event it counts: a fact table of one event, a filter of a
fact table's rows on the column of names, or a table that is called by its event, as warehouses of Segment have it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .incoming import MALFORMED, MALFORMED_WHY, CannotCarry, Incoming, LeftOut, Moved, listed, mapping, texts, whole

_EVENT_COLUMNS = ("event", "event_name", "eventname", "event_type", "name")
_OPERATORS = {
    "=": "is",
    "in": "is",
    "!=": "is not",
    "not_in": "is not",
    "contains": "contains",
    "not_contains": "does not contain",
    ">": "above",
    "<": "below",
    ">=": "at least",
    "<=": "at most",
    "not_null": "is set",
    "is_null": "is not set",
}
_DAYS = {"minutes": 1 / 1440, "hours": 1 / 24, "days": 1, "weeks": 7}
_PEOPLE, _ROWS = ("$$distinctUsers", "$$distinctDates"), "$$count"


def is_growthbook(thing: Mapping[str, Any]) -> bool:
    return _kind(thing) != ""


def _kind(thing: Mapping[str, Any]) -> str:
    if "numerator" in thing and "metricType" in thing:
        return "fact metric"
    if "userIdTypes" in thing and "sql" in thing and "metricType" not in thing and "type" not in thing:
        return "fact table"
    return (
        "metric"
        if thing.get("type") in ("binomial", "count", "duration", "revenue") and "datasourceId" in thing
        else ""
    )


def read_growthbook(things: Sequence[Mapping[str, Any]]) -> list[Moved]:
    """GrowthBook's metrics as ours, in their order; archived ones are passed over."""
    tables = {str(one.get("id")): one for one in things if _kind(one) == "fact table"}
    found: list[Moved] = []
    for thing in things:
        kind = _kind(thing)
        if kind == "fact table" or thing.get("archived"):
            continue
        foreign, name = f"{kind} {thing.get('id', '?')}"[:100], str(thing.get("name") or "")[:200]
        notes: list[str] = []
        try:
            said = _fact(thing, tables, notes) if kind == "fact metric" else _plain(thing, notes)
        except CannotCarry as error:
            found.append(LeftOut(foreign, name, str(error)))
            continue
        except MALFORMED:
            found.append(LeftOut(foreign, name, MALFORMED_WHY))
            continue
        goal = mapping(thing.get("behavior")).get("goal")
        down = "down" if thing.get("inverse") or goal == "decrease" else "up"
        found.append(
            Incoming(
                foreign,
                "metric",
                name or foreign,
                {"version": 1, **said},
                str(thing.get("description") or ""),
                str(thing.get("owner") or "")[:100],
                down,
                tuple(notes),
            )
        )
    return found


def _fact(thing: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]], notes: list[str]) -> dict[str, Any]:
    kind, numerator = str(thing.get("metricType")), mapping(thing.get("numerator"))
    _note_settings(thing, notes)
    if any(mapping(thing.get(part)).get("aggregateFilter") for part in ("numerator", "denominator")):
        raise CannotCarry("it counts only people who have done so much of it")
    event, column = _selection(numerator, tables), str(numerator.get("column") or _ROWS)
    if kind == "proportion":
        return {"kind": "unique", "event": event}
    if kind == "mean":
        return {"kind": "count", "event": event} if column == _ROWS else _summed(event, numerator, column)
    if kind == "quantile":
        said = mapping(thing.get("quantileSettings"))
        if said.get("type") != "event":
            raise CannotCarry("its percentile is of sums of people; here it is of single events")
        if said.get("ignoreZeros"):
            notes.append("It left zeros out; here they count. A filter of its events says so.")
        percent = whole(round(float(said.get("quantile") or 0.5) * 100, 6), "its percentile")
        return {"kind": "quantile", "event": event, "property": _property(column), "percentile": percent}
    if kind == "ratio":
        bottom = mapping(thing.get("denominator"))
        return {
            "kind": "ratio",
            "top": event | {"measure": _measure(numerator, column)},
            "bottom": _selection(bottom, tables) | {"measure": _measure(bottom, str(bottom.get("column") or _ROWS))},
        }
    raise CannotCarry(f"it is of kind {kind[:40]}, which has no counterpart here")


def _note_settings(settings: Mapping[str, Any], notes: list[str]) -> None:
    if mapping(settings.get("cappingSettings")).get("type") not in (None, "", "none"):
        notes.append("Its cap on outliers is not carried.")
    if mapping(settings.get("windowSettings")).get("type") not in (None, "", "none"):
        notes.append("Its window is not carried: an experiment here has one for all its metrics.")


def _summed(event: dict[str, Any], said: Mapping[str, Any], column: str) -> dict[str, Any]:
    aggregation = str(said.get("aggregation") or "sum")
    if aggregation != "sum":
        raise CannotCarry(f"it takes the {aggregation[:20]} of each person’s numbers; here they are added up")
    return {"kind": "sum", "event": event, "property": _property(column)}


def _measure(said: Mapping[str, Any], column: str) -> str:
    if column in _PEOPLE[:1]:
        return "people"
    if column == _ROWS:
        return "total"
    return f"sum:{_summed({}, said, column)['property']}"


def _property(column: str) -> str:
    if column.startswith("$$"):
        raise CannotCarry(f"it counts {column.removeprefix('$$')}")
    return column


def _selection(said: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    table = mapping(tables.get(str(said.get("factTableId"))))
    names = [str(table["eventName"])] if table.get("eventName") else []
    where: list[dict[str, Any]] = []
    rows = [mapping(one) for one in listed(said.get("rowFilters"))]
    rows += [
        {"operator": "=", "column": column, "values": values}
        for column, values in mapping(said.get("inlineFilters")).items()
    ]
    if listed(said.get("filters")):
        raise CannotCarry("it uses saved filters of its fact table, which are SQL")
    for row in rows:
        column, operator = str(row.get("column", "")), str(row.get("operator", "="))
        if operator not in _OPERATORS or not column:
            raise CannotCarry(f"it filters rows by {operator[:40]}")
        values = texts(row.get("values") or [])
        if column.lower() in _EVENT_COLUMNS and _OPERATORS[operator] == "is":
            names = values
        else:
            has_value = {} if operator in ("not_null", "is_null") else {"values": values}
            where.append({"field": column, "operator": _OPERATORS[operator]} | has_value)
    if not names:
        raise CannotCarry(
            "nothing says which event it counts; bring the fact tables along, or filter by the event’s name there"
        )
    return {"events": names} | ({"where": where} if where else {})


def _plain(thing: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    built = mapping(thing.get("sqlBuilder"))
    table = str(built.get("tableName") or "")
    if not table:
        raise CannotCarry("it is SQL of its own")
    sql = mapping(thing.get("sql"))
    if sql.get("denominatorMetricId"):
        raise CannotCarry("it is divided by another metric")
    if not re.match(r"\s*(sum|count)\s*\(|\s*$", str(sql.get("userAggregationSQL") or ""), re.IGNORECASE):
        raise CannotCarry("it does not add up each person’s numbers, but takes another of them")
    _note_settings(mapping(thing.get("behavior")), notes)
    name = re.split(r"[.`\"]+", table.strip('`"'))[-1]
    notes.append(f"Its table {table[:60]} is taken for the event “{name}”.")
    where = []
    for one in map(mapping, listed(built.get("conditions"))):
        column, operator = str(one.get("column", "")), str(one.get("operator", "="))
        if operator not in _OPERATORS:
            raise CannotCarry(f"it filters rows by {operator[:40]}")
        if column.lower() in _EVENT_COLUMNS and operator == "=":
            name = str(one.get("value"))
            continue
        where.append({"field": column, "operator": _OPERATORS[operator], "values": texts(one.get("value"))})
    event = {"events": [name]} | ({"where": where} if where else {})
    if thing["type"] == "binomial":
        return {"kind": "unique", "event": event}
    column = str(built.get("valueColumnName") or "")
    return {"kind": "sum", "event": event, "property": column} if column else {"kind": "count", "event": event}
