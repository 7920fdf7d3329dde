"""What the team did that may have moved a number, as marks on a time axis: read from what everybody did."""

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from whytree.engines.charts import Mark
from whytree.workspace.models import Activity, Product

MOST_MARKS = 4
#: Days are read newest first until so many acts were looked at.
MOST_ACTS = 60


def _state(act: Activity) -> str:
    """Only what people met: live, or taken back."""
    state = (act.after or {}).get("state")
    return (
        f"{act.subject_label} {'live' if state == 'live' else 'rolled back'}"
        if state in ("live", "rolled_back")
        else ""
    )


def _note(act: Activity) -> str:
    return "decided" if (act.after or {}).get("kind") == "decision" else ""


#: By verb, what a mark says; nothing where this act moved no number.
MARKED: dict[str, Callable[[Activity], str]] = {
    "open_flag": lambda act: f"{act.subject_label} opened",
    "turn_on": lambda act: f"{act.subject_label} on",
    "turn_off": lambda act: f"{act.subject_label} off",
    "set_rollout": lambda act: f"{act.subject_label} rollout",
    "decide_review": lambda act: f"{act.subject_label} decided",
    "set_state": _state,
    "start_test": lambda act: f"{act.subject_label} began",
    "start_experiment": lambda act: f"{act.subject_label} began",
    "stop_experiment": lambda act: f"{act.subject_label} stopped",
    "decide_experiment": lambda act: f"{act.subject_label} decided",
    "add_note": _note,
}


def marks_between(product: Product, start: datetime, end: datetime) -> tuple[Mark, ...]:
    """The latest few, one a day: more could not be read. Days are the product's."""
    zone = ZoneInfo(product.timezone)
    acts = Activity.objects.filter(Q(verb__in=MARKED), product=product, at__gte=start, at__lt=end)
    by_day: dict[date, str] = {}
    for act in acts.order_by("-at")[:MOST_ACTS]:
        said = MARKED[act.verb](act)
        if said:
            by_day.setdefault(act.at.astimezone(zone).date(), said)
    return tuple(Mark(day, text) for day, text in sorted(by_day.items())[-MOST_MARKS:])
