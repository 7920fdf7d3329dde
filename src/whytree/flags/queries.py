"""What may be asked of flags."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from whytree.engines.flags import Evaluation, Switching, percent
from whytree.engines.flags.explaining import explain
from whytree.engines.flags.rules.checking import references_in, results_of
from whytree.engines.flags.rules.cohorts import cohorts_in, split
from whytree.engines.flags.rules.describing import in_words
from whytree.engines.flags.switching import length_text
from whytree.errors import Invalid, NotFound
from whytree.people.queries import people_by_key
from whytree.stores.exposed import flag_exposures
from whytree.stores.exposed.flag_exposures import DayOfVariant
from whytree.tree.models import Hypothesis, Solution
from whytree.tree.queries import find_node
from whytree.workspace.background.once import once_a_page
from whytree.workspace.models import Environment, Product

from .environments.placing import everywhere, placed
from .evaluation import asking
from .evaluation.assembling import rules_of, shared_of
from .models import ChangeRequest, ExclusionGroup, Flag, FlagChange, FlagCondition, Holdout

TURNED_DOWN_SHOWN = timedelta(days=14)
"""So long whoever asked reads why not."""


def find_flag(product: Product, key: str, *, for_update: bool = False, environment: Environment | None = None) -> Flag:
    """The product's flag with this key, archived or not, as it is in production or in another environment."""
    flags = Flag.objects.select_for_update(of=("self",)) if for_update else Flag.objects.all()
    flag = flags.select_related("solution", "hypothesis", "product", "group").filter(product=product, key=key).first()
    if flag is None:
        raise NotFound(f"There is no flag {key!r} in {product.name}. `whytree flag list` shows those there are.")
    return placed(flag, environment)


def list_flags(product: Product, *, archived: bool = False) -> QuerySet[Flag]:
    """Flags by key, with their solutions and hypotheses."""
    flags = Flag.objects.filter(product=product).select_related("solution", "hypothesis", "product", "group")
    return flags.filter(archived_at__isnull=not archived)


def needing(flag: Flag) -> list[Flag]:
    """The flags in use that have this one as a prerequisite, in whichever environment."""
    others = everywhere(flag.product, list_flags(flag.product).exclude(pk=flag.pk))
    return [other for other in others if any(one["flag"] == flag.key for one in other.prerequisites)]


def list_conditions(product: Product) -> QuerySet[FlagCondition]:
    """Named conditions, by key."""
    return FlagCondition.objects.filter(product=product)


def referring(product: Product, condition: str) -> list[Flag]:
    """The flags whose rule refers to this condition, archived or not, in whichever environment."""
    flags = everywhere(product, Flag.objects.filter(product=product).select_related("group", "product"))
    return [flag for flag in flags if condition in references_in(flag.targeting)]


def asking_for(product: Product, cohort: str) -> list[Flag]:
    """The flags whose rule, or a condition of it, asks for this cohort, archived or not."""
    shared = shared_of(product.pk)
    flags = everywhere(product, Flag.objects.filter(product=product).select_related("group", "product"))
    return [flag for flag in flags if cohort in cohorts_in(rules_of(flag, shared).targeting)]


def list_requests(product: Product, *, state: str = "open") -> list[ChangeRequest]:
    """Changes in production that wait for another maintainer, newest first; or what became of others."""
    known = [*ChangeRequest.State.values, "all"]
    if state not in known:
        raise Invalid(f"A request is one of: {', '.join(known)}.")
    found = ChangeRequest.objects.filter(flag__product=product).select_related("flag__product")
    return list(found[:500] if state == "all" else found.filter(state=state)[:500])


def turned_down(flags: QuerySet[Flag]) -> list[ChangeRequest]:
    """Of each flag the newest request, where it was declined or expired within `TURNED_DOWN_SHOWN`, newest first."""
    newest = ChangeRequest.objects.filter(flag=OuterRef("flag")).order_by("-asked_at", "-pk").values("pk")[:1]
    found = ChangeRequest.objects.filter(
        pk=Subquery(newest),
        flag__in=flags,
        state__in=[ChangeRequest.State.DECLINED, ChangeRequest.State.EXPIRED],
        decided_at__gt=timezone.now() - TURNED_DOWN_SHOWN,
    )
    return list(found.select_related("flag__product"))


def holdout_share(product: Product) -> int:
    """In basis points; 0 for none."""
    return Holdout.objects.filter(product=product).values_list("share", flat=True).first() or 0


def groups(product: Product) -> dict[str, list[Flag]]:
    """Exclusion groups and the flags in them, by their places."""
    found: dict[str, list[Flag]] = {group.key: [] for group in ExclusionGroup.objects.filter(product=product)}
    for flag in list_flags(product).exclude(group=None).order_by("group_start"):
        if flag.group is not None:
            found[flag.group.key].append(flag)
    return found


@dataclass(frozen=True)
class Period:
    """A stretch of time in which nothing about the rollout changed while it was open: `start` <= t < `end`.

    Exposures of different periods must not be pooled (docs/decisions/0010), only stratified. `rules` stands for all that decided
    beside coverage and weights.
    """

    start: datetime
    end: datetime
    coverage: int
    weights: Mapping[str, int]
    rules: str = ""


def periods(flag: Flag, start: datetime, end: datetime) -> list[Period]:
    """The periods of constant coverage and weights between `start` and `end`; the times when nobody could be in are left out."""
    changes = list(flag.changes.order_by("at", "pk"))
    ends = [change.at for change in changes[1:]] + [end]
    found: list[Period] = []
    for change, until in zip(changes, ends, strict=True):
        begin, until = max(change.at, change.on_from or start, start), min(until, change.on_until or end, end)
        if begin < until and change.is_on and (change.coverage > 0 or change.targets):
            _add(found, Period(begin, until, change.coverage, change.weights, change.rules))
    return found


def _add(found: list[Period], period: Period) -> None:
    """Append, or lengthen the last one when it goes on unchanged."""
    last = found[-1] if found else None
    if last and last.end == period.start and replace(last, start=period.start, end=period.end) == period:
        found[-1] = replace(last, end=period.end)
    else:
        found.append(period)


def changes_of(flag: Flag) -> QuerySet[FlagChange]:
    """Every state of the rollout, newest first."""
    return flag.changes.order_by("-at", "-pk")


@dataclass(frozen=True)
class HistoryLine:
    """One change of the rollout, said in words."""

    at: datetime
    by: str
    says: str


def history(flag: Flag) -> list[HistoryLine]:
    """What each change did, newest first."""
    changes = list(changes_of(flag))
    return [HistoryLine(new.at, new.by, _said(new, old)) for new, old in zip_longest(changes, changes[1:])]


def _said(new: FlagChange, old: FlagChange | None) -> str:
    if old is None:
        return "made, " + (f"on {percent(new.coverage)}" if new.is_on else "off")
    parts = []
    if new.is_on != old.is_on:
        parts.append("turned on" if new.is_on else "turned off")
    if new.coverage != old.coverage:
        parts.append(f"coverage {percent(old.coverage)} → {percent(new.coverage)}")
    if new.weights != old.weights:
        parts.append(f"weights {shares(new.weights)}")
    if (new.on_from, new.on_until) != (old.on_from, old.on_until):
        parts.append(f"schedule {schedule_text(new.on_from, new.on_until) or 'taken away'}")
    if new.rules != old.rules:
        parts.append("rules changed")
    return ", ".join(parts) or "unchanged"


def schedule_text(on_from: datetime | None, on_until: datetime | None) -> str:
    """ "from 1 Dec 2026 09:00 until 8 Dec 2026 09:00 UTC"; "" for always."""
    parts = [f"{word} {at:%-d %b %Y %H:%M}" for word, at in (("from", on_from), ("until", on_until)) if at is not None]
    return f"{' '.join(parts)} UTC" if parts else ""


def shares(weights: Mapping[str, int]) -> str:
    """{"on": 1, "off": 1} -> "on 50 %, off 50 %"."""
    total = sum(weights.values())
    return ", ".join(f"{name} {100 * weight / total:.3g} %" for name, weight in weights.items() if weight)


@once_a_page
def flags_of(solution: Solution) -> list[Flag]:
    """The solution's flags that are not archived."""
    return flags_by_solution(solution.product, [solution.pk]).get(solution.pk, [])


def flags_by_solution(product: Product, solution_ids: Iterable[int]) -> dict[int, list[Flag]]:
    """Each solution's flags that are not archived."""
    found: dict[int, list[Flag]] = {}
    for flag in list_flags(product).filter(solution_id__in=list(solution_ids)):
        found.setdefault(flag.solution_id or 0, []).append(flag)
    return found


def rule_sentences(flag: Flag) -> list[str]:
    """Who is singled out beside the rollout, in the order in which it is asked."""
    found = []
    if flag.on_from or flag.on_until:
        found.append(f"Only {schedule_text(flag.on_from, flag.on_until)}; else everybody gets {flag.off_variant}.")
    for needed in flag.prerequisites:
        found.append(f"Off while {needed['flag']} gives something else than {' or '.join(needed['variants'])}.")
    if flag.overrides:
        several = len(flag.overrides) > 1
        found.append(f"{len(flag.overrides)} {'people have overrides' if several else 'person has an override'}.")
    if flag.group is not None:
        places = f"{flag.group_start:,} to {flag.group_end - 1:,} of 10,000"
        found.append(f"In the group {flag.group.key}, whose flags share nobody, it has the places {places}.")
    given, rest = split(flag.targeting)
    found += [f"Whoever is in the cohort {cohort} gets {variant}." for cohort, variant in given.items()]
    if rest is not None:
        found.append(f"Rule: {in_words(rest)}. Whom it gives nothing is left to the rollout.")
        unknown = sorted(results_of(rest) - flag.variants.keys())
        if unknown:
            found.append(f"There is no variant {', '.join(unknown)}: whom the rule gives it gets code’s own default.")
    if flag.unit == "company":
        found.append("All people of one company get the same.")
    if flag.switches is not None:
        found.append(_switches_text(flag.switches))
    if flag.is_sticky:
        found.append("Sticky: who has a variant keeps it, whatever the weights become.")
    return found


def _switches_text(switching: Switching) -> str:
    """It switches every 2 hours from 1 Dec 2026 09:00 UTC: everybody in one city gets the arm of the period."""
    since = datetime.fromtimestamp(switching.start, UTC)
    whom = f"everybody of one {switching.by}" if switching.by else "everybody"
    return f"It switches every {length_text(switching.minutes)} from {since:%-d %b %Y %H:%M} UTC: {whom} gets the arm of the period."


@dataclass(frozen=True)
class Explained:
    """What one person gets, and the way there in sentences."""

    answer: Evaluation
    steps: list[str]
    attributes: Mapping[str, Any]


def explain_for(flag: Flag, unit: str, attributes: Mapping[str, Any] | None = None) -> Explained:
    """What one person gets from the flag as it stands, step by step. Only looks: nobody is exposed, nothing is kept."""
    evaluator = asking.evaluator_of(flag)
    context = asking.context_of(flag, evaluator, unit, attributes or {})
    answer = evaluator.evaluate(unit, context)
    return Explained(answer, explain(evaluator.rules, answer, context, unit), context.attributes)


@dataclass(frozen=True)
class ExposureTable:
    """People per variant: a row a day (newest first), and each person once in the totals."""

    variants: list[str]
    totals: list[int]
    days: list[tuple[date, list[int]]]
    most: int

    @property
    def people(self) -> int:
        """Sum over the variants; somebody who met two of them counts twice."""
        return sum(self.totals)


def exposure_table(flag: Flag, *, days: int = 30, now: datetime | None = None) -> ExposureTable:
    """Exposures of the last days as a table; variants that were removed since still have their column."""
    now = now or timezone.now()
    rows, totals = flag_exposures.by_day(flag.product_id, flag.key, _first_day(now, days), now)
    variants = sorted({row.variant for row in rows} | {name for name, weight in flag.weights.items() if weight})
    cells = {(row.day, row.variant): row.people for row in rows}
    dates = sorted({row.day for row in rows}, reverse=True)
    return ExposureTable(
        variants,
        [totals.get(name, 0) for name in variants],
        [(day, [cells.get((day, name), 0) for name in variants]) for day in dates],
        max(cells.values(), default=0),
    )


def exposures_by_day(flag: Flag, *, days: int = 30, now: datetime | None = None) -> list[DayOfVariant]:
    """How many different people met each variant on each day (UTC), oldest first."""
    now = now or timezone.now()
    return flag_exposures.by_day(flag.product_id, flag.key, _first_day(now, days), now)[0]


@dataclass(frozen=True)
class MetLately:
    """Somebody who met a variant; `name` is the id where there is no profile."""

    variant: str
    id: str
    name: str
    at: datetime


def met_lately(flag: Flag, *, days: int = 30, limit: int = 5, now: datetime | None = None) -> list[MetLately]:
    """Who is in which variant: the last people of each, as counted in exposures."""
    now = now or timezone.now()
    found = flag_exposures.lately(flag.product_id, flag.key, _first_day(now, days), now, limit)
    known = people_by_key(flag.product, [one.id for one in found])
    return [MetLately(one.variant, one.id, str(known.get(one.id, one.id)), one.at) for one in found]


def _first_day(now: datetime, days: int) -> datetime:
    return (now - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)


def find_solution(product: Product, ref: str | None) -> Solution | None:
    """The solution called `ref`; None for none."""
    node = find_node(product, ref) if ref else None
    if node is not None and not isinstance(node, Solution):
        raise Invalid(f"{node.ref} is no solution. Name one as SOL-3.")
    return node


def find_hypothesis(product: Product, ref: str | None) -> Hypothesis | None:
    """The hypothesis called `ref`; None for none."""
    node = find_node(product, ref) if ref else None
    if node is not None and not isinstance(node, Hypothesis):
        raise Invalid(f"{node.ref} is no hypothesis. Name one as HYP-4.")
    return node
