"""What may have moved a number, as marks on a time axis: what the team did, what went out, what broke."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from whytree.code.delivery.queries import deployments_between, incidents_between
from whytree.engines.charts import Mark
from whytree.workspace.models import Activity, Product

MOST_MARKS = 4
#: Days are read newest first until so many acts were looked at.
MOST_ACTS = 60
MOST_LETTERS = 24


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


def marks_between(product: Product, start: datetime, end: datetime, *, hourly: bool = False) -> tuple[Mark, ...]:
    """The latest few, one a day, or one an hour: more could not be read. Days and hours are the product's.

    A team that deploys every day would fill them all, so deployments stand beside what was done or broke on their day,
    and have a day of their own only where there is room.
    """
    clock = _Clock(ZoneInfo(product.timezone), hourly)
    acts, broke, out = (
        _acts(product, start, end, clock),
        _broke(product, start, end, clock),
        _out(product, start, end, clock),
    )
    days = sorted({*acts, *broke})[-MOST_MARKS:]
    room = MOST_MARKS - len(days)
    days = sorted({*days, *([day for day in sorted(out) if day not in days][-room:] if room else [])})
    return tuple(Mark(day, ", ".join(said[day] for said in (acts, broke, out) if day in said)) for day in days)


def acts_between(product: Product, start: datetime, end: datetime) -> tuple[Mark, ...]:
    """What the team did alone, for those who name deployments themselves."""
    acts = _acts(product, start, end, _Clock(ZoneInfo(product.timezone)))
    return tuple(Mark(day, text) for day, text in sorted(acts.items())[-MOST_MARKS:])


@dataclass(frozen=True)
class _Clock:
    """Which day, or hour, of the product's a moment is told as."""

    zone: ZoneInfo
    hourly: bool = False

    def at(self, moment: datetime) -> date:
        there = moment.astimezone(self.zone)
        return there.replace(minute=0, second=0, microsecond=0, tzinfo=None) if self.hourly else there.date()


def _acts(product: Product, start: datetime, end: datetime, clock: _Clock) -> dict[date, str]:
    acts = Activity.objects.filter(Q(verb__in=MARKED), product=product, at__gte=start, at__lt=end)
    by_day: dict[date, str] = {}
    for act in acts.order_by("-at")[:MOST_ACTS]:
        said = MARKED[act.verb](act)
        if said:
            by_day.setdefault(clock.at(act.at), said)
    return by_day


def _broke(product: Product, start: datetime, end: datetime, clock: _Clock) -> dict[date, str]:
    found = incidents_between(product, start, end)[:MOST_ACTS]
    return _a_day(((one.began_at, one.key) for one in found), clock, "{} broke", "incidents")


def _out(product: Product, start: datetime, end: datetime, clock: _Clock) -> dict[date, str]:
    found = deployments_between(product, start, end)[:MOST_ACTS]
    return _a_day(((one.finished_at, one.label) for one in found), clock, "{} out", "deployments")


def _a_day(told: Iterable[tuple[datetime, str]], clock: _Clock, one: str, many: str) -> dict[date, str]:
    """Many on one day are summed up."""
    by_day = defaultdict[date, list[str]](list)
    for moment, name in told:
        by_day[clock.at(moment)].append(name)
    return {
        day: one.format(_short(names[0])) if len(names) == 1 else f"{len(names)} {many}"
        for day, names in by_day.items()
    }


def _short(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"
