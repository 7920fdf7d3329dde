"""Metrics as a document: what it may say, and how a metric is written in it.

whytree_metrics: 1
metrics:
  activated_7d:
    name: Activated in 7 days
    kind: conversion
    from: signed_up
    to: {event: planted, where: [plan=pro]}
    within_days: 7
    role: north_star
    owner: growth

Beside `metrics` may stand a tracking plan, as `whytree plan export` writes it: `whytree_plan: 1`, `strict` and `events`. What a metric does
not say is the usual: called by its key, counted in its kind's unit, more is better.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whytree.errors import Invalid

from ..asking.links import typed_filter
from ..definitions import as_json, checked_definition
from ..models import Metric
from ..queries import definition_of
from ..questions import filter_json, parse_filter
from ..questions.parts import checked_filters
from .lines import Lined

VERSION = 1
MOST_METRICS = 1_000
METRICS, PLAN = "whytree_metrics", "whytree_plan"
PLAN_SAYS = ("strict", "events")
#: What a metric says beside its definition, with what stands for it when nothing is said.
FIELDS = {"name": "", "unit": "", "direction": "up", "category": "", "role": "", "owner": "", "description": ""}


@dataclass(frozen=True)
class Wanted:
    """A metric as a file wants it: `definition` as it is stored, `fields` all of them."""

    key: str
    definition: dict[str, Any]
    fields: dict[str, str]


@dataclass(frozen=True)
class Fault:
    line: int
    says: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.says}"


def refuse(faults: list[Fault]) -> None:
    """All that is wrong at once, each with its line."""
    if faults:
        more = f" and {len(faults) - 20} more" if len(faults) > 20 else ""
        says = "\n".join(map(str, faults[:20])) + more
        raise Invalid(says, details={"faults": [{"line": one.line, "says": one.says} for one in faults]})


def read_document(found: Lined) -> tuple[list[Wanted], dict[str, Any] | None]:
    """The metrics, and the tracking plan where there is one."""
    value = found.value
    if not isinstance(value, dict) or not {METRICS, PLAN} & set(value):
        raise Invalid(f"line 1: a file of metrics begins with {METRICS}: {VERSION}.")
    faults = [
        Fault(
            found.line((name,)),
            f"there is no {name!r:.60} here; there is {METRICS}, metrics, {PLAN}, strict and events.",
        )
        for name in set(value) - {METRICS, "metrics", PLAN, *PLAN_SAYS}
    ]
    if METRICS in value and value[METRICS] != VERSION:
        faults.append(Fault(found.line((METRICS,)), f"write {METRICS}: {VERSION}."))
    if "metrics" in value and METRICS not in value:
        faults.append(Fault(found.line(("metrics",)), f"metrics need {METRICS}: {VERSION} above them."))
    metrics = value.get("metrics") or {}
    if not isinstance(metrics, dict) or len(metrics) > MOST_METRICS:
        faults.append(Fault(found.line(("metrics",)), f"metrics are keys with what each is, at most {MOST_METRICS:,}."))
        metrics = {}
    wanted = []
    for key, said in metrics.items():
        try:
            wanted.append(_wanted(key, said))
        except Invalid as error:
            faults.append(Fault(_line_of(found, key, said, str(error)), f"{key}: {error}"))
    refuse(sorted(faults, key=lambda fault: fault.line))
    plan = {name: value[name] for name in (PLAN, *PLAN_SAYS) if name in value} if PLAN in value else None
    return wanted, plan


def _line_of(found: Lined, key: str, said: Any, message: str) -> int:
    """The line of the first field that the message names, else of the metric."""
    fields = said if isinstance(said, dict) else {}
    named = next((field for field in fields if f"“{field}”" in message or f"{field!r}" in message), None)
    return found.line(("metrics", key) if named is None else ("metrics", key, named))


def _wanted(key: str, said: Any) -> Wanted:
    if not isinstance(said, dict):
        raise Invalid("write its kind below it, and what it counts.")
    texts = {}
    for name, usual in FIELDS.items():
        text = said.get(name, usual)
        if not isinstance(text, str | int | float) or isinstance(text, bool):
            raise Invalid(f"“{name}” is a text.")
        texts[name] = str(text).strip()
    raw = {name: _spoken(value) for name, value in said.items() if name not in FIELDS}
    checked = checked_definition({"version": 1, **raw})
    texts["name"] = texts["name"] or key
    texts["unit"] = texts["unit"] or checked.usual_unit
    return Wanted(key, as_json(checked), texts)


def _spoken(value: Any) -> Any:
    """Filters may stand as one types them: plan=pro."""
    if isinstance(value, dict) and isinstance(value.get("where"), list):
        where = [filter_json(parse_filter(one)) if isinstance(one, str) else one for one in value["where"]]
        return {**value, "where": where}
    return value


def as_document(metrics: list[Metric]) -> dict[str, Any]:
    """Plain data, in one order always."""
    ordered = sorted(metrics, key=lambda metric: metric.key)
    return {METRICS: VERSION, "metrics": {metric.key: _written(metric) for metric in ordered}}


def _written(metric: Metric) -> dict[str, Any]:
    usual = {**FIELDS, "name": metric.key, "unit": definition_of(metric).usual_unit}
    said = {name: getattr(metric, name) for name in FIELDS if getattr(metric, name) != usual[name]}
    counted = {name: _typed(value) for name, value in metric.definition.items() if name != "version"}
    head = {name: said.pop(name) for name in ("name", "description") if name in said}
    return {**head, **counted, **said}


def _typed(value: Any) -> Any:
    if not isinstance(value, Mapping) or "where" not in value:
        return value
    return {**value, "where": [_typed_filter(raw) for raw in value["where"]]}


def _typed_filter(raw: Any) -> Any:
    """As one types it, where that reads back as the same."""
    text = typed_filter(checked_filters([raw])[0])
    if text is None:
        return raw
    try:
        return text if filter_json(parse_filter(text)) == raw else raw
    except Invalid:
        return raw
