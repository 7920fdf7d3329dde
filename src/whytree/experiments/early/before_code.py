"""Tests before code that fill themselves: what they show so far, and the verdict the data propose. A person gives it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from whytree.analytics.queries import amount, find_metric, measure
from whytree.engines.figures import between, number
from whytree.engines.stats import Estimate, exact_proportion, proportion
from whytree.errors import Conflict, Invalid, NotFound, Unavailable
from whytree.flags.models import Flag
from whytree.flags.services import turn_off
from whytree.stores.exposed import doors
from whytree.tree.models import AssumptionTest, Progress, Solution, State, Verdict
from whytree.voice.surveys.models import Survey
from whytree.voice.surveys.queries import find_by_ref, first_answers
from whytree.workspace.models import Activity, Product
from whytree.workspace.rights.actors import Actor

from ..underway.team import team_hashes, team_keys


@dataclass(frozen=True)
class Standing:
    """What a test shows so far. `proposed` is empty while the data decide nothing; `is_over`: no more can come."""

    text: str
    detail: str
    proposed: str
    is_over: bool

    @property
    def result(self) -> str:
        """As one would write it down."""
        return f"{self.text}. {self.detail}".strip()


def standing_of(test: AssumptionTest, now: datetime | None = None) -> Standing | None:
    """None where the test counts nothing by itself, or not any more, or has not started."""
    if test.measure is None or test.started_at is None:
        return None
    until = min(now or timezone.now(), test.concluded_at or now or timezone.now())
    if test.measure["kind"] == "data" and test.concluded_at is not None:
        return None  # it is about the days up to then, which its result tells; counted again it would tell of others
    counted = {"fake_door": _door, "data": _data, "people": _people, "survey": _survey}[test.measure["kind"]]
    return counted(test, test.measure, test.started_at, until)


def _door(test: AssumptionTest, said: Mapping[str, Any], start: datetime, until: datetime) -> Standing:
    door = doors.at_the_door(
        test.product_id,
        seen=said["seen"],
        pressed=said["pressed"],
        of=said["of"],
        start=start,
        end=until,
        without=team_hashes(test.product),
    )
    share = proportion(door.pressed, door.seen)
    standing = _of_people("pressed it", door.pressed, door.seen, said, share if isinstance(share, Estimate) else None)
    if said.get("flag") and not standing.is_over and not _flags(test).filter(key=said["flag"], is_on=True).exists():
        return replace(standing, detail=f"{standing.detail} Its flag {said['flag']} is off: nobody sees the door.")
    return standing


def _flags(test: AssumptionTest) -> QuerySet[Flag]:
    return Flag.objects.filter(product=test.product_id, archived_at=None)


def _people(test: AssumptionTest, said: Mapping[str, Any], start: datetime, until: datetime) -> Standing:
    passed = sum(row["passed"] for row in test.sessions)
    share = exact_proportion(passed, len(test.sessions))
    return _of_people("did", passed, len(test.sessions), said, share if isinstance(share, Estimate) else None)


def _survey(test: AssumptionTest, said: Mapping[str, Any], start: datetime, until: datetime) -> Standing:
    try:
        survey = _survey_of(test, said)
    except (Invalid, NotFound) as error:
        return Standing("No answer", error.message, "", False)
    given = first_answers(
        survey, said["question"], said["of"], since=start, until=until, without=team_keys(test.product)
    )
    yes = sum(bool(set(said["yes"]) & set(one if isinstance(one, list) else [one])) for one in given)
    share = proportion(yes, len(given))
    return _of_people("said so", yes, len(given), said, share if isinstance(share, Estimate) else None)


def _survey_of(test: AssumptionTest, said: Mapping[str, Any]) -> Survey:
    """Raises where nobody could answer that."""
    survey = find_by_ref(test.product, said["survey"])
    question = next((one for one in survey.asked if one.id == said["question"]), None)
    if question is None:
        raise NotFound(f"{survey.ref} has no question {said['question']}.")
    possible = set(question.scale.points) if question.scale else set(question.options)
    strange = next((one for one in said["yes"] if one not in possible), None)
    if strange is not None:
        raise NotFound(f"Nobody can answer “{strange}” to {question.id} of {survey.ref}.")
    return survey


def _of_people(did: str, k: int, n: int, said: Mapping[str, Any], share: Estimate | None) -> Standing:
    """The criterion counts people, so it is decided as soon as no more of them can change it."""
    of, needed = said["of"], said["needed"]
    left = max(of - n, 0)
    if k >= needed:
        proposed = Verdict.VALIDATED.value
    elif k + left < needed:
        proposed = Verdict.INVALIDATED.value
    else:
        proposed = ""
    known = ""
    if share is not None:
        known = f"{number(100 * share.value)} % ({between(100 * share.low, 100 * share.high)}). "
    waits = f" {left:,} more to come." if left and not proposed else ""
    text = f"{k:,} of {n:,} {did}" if n else "Nobody yet"
    return Standing(text, f"{known}{needed:,} of {of:,} were to be a yes.{waits}", proposed, not left or bool(proposed))


def _data(test: AssumptionTest, said: Mapping[str, Any], start: datetime, until: datetime) -> Standing:
    try:
        metric = find_metric(test.product, said["metric_key"])
    except NotFound as error:
        return Standing("No answer", error.message, "", False)
    found = measure(metric, days=said["days"])
    if found.value is None or found.low is None or found.high is None:
        return Standing("No answer", found.reason, "", False)
    above, threshold = said["way"] == "at_least", float(said["threshold"])
    low, high = (found.low, found.high) if above else (-found.high, -found.low)
    bar = threshold if above else -threshold
    proposed = Verdict.INCONCLUSIVE
    if low >= bar:
        proposed = Verdict.VALIDATED
    elif high < bar:
        proposed = Verdict.INVALIDATED
    way = "at least" if above else "at most"
    detail = f"{found.interval_text}, n = {found.n:,}. A yes is {way} {amount(threshold, metric.unit)}."
    return Standing(f"{metric.name}: {found.text}", detail, proposed.value, True)


def refuse_uncountable(test: AssumptionTest) -> None:
    """A start fixes what is counted: a name of nothing would count nothing for ever."""
    said = test.measure or {"kind": ""}
    try:
        if said["kind"] == "data":
            find_metric(test.product, said["metric_key"])
        if said["kind"] == "survey":
            _survey_of(test, said)
    except (Invalid, NotFound) as error:
        raise Conflict(
            f"{error.message} What {test.ref} counts is fixed once it starts: put that right first."
        ) from error
    flag = said.get("flag")
    if flag and not _flags(test).filter(key=flag).exists():
        raise Conflict(f"There is no flag {flag} to close the door of {test.ref}. Make it first, or leave it out.")


def standings(tests: Iterable[AssumptionTest]) -> dict[int, Standing]:
    """By primary key, of those that run and count; a store that does not answer hides none of the others."""
    found = {}
    for test in tests:
        if test.measure is None or test.status != Progress.IN_PROGRESS:
            continue
        try:
            standing = standing_of(test)
        except Unavailable:
            continue
        if standing is not None:
            found[test.pk] = standing
    return found


def close_full_doors(product: Product | None = None) -> list[str]:
    """Turn off the flags of fake doors that enough people have seen: nobody is fooled for nothing. Their keys."""
    closed = []
    for test in running_doors(product):
        said = test.measure or {}
        flag = Flag.objects.filter(product=test.product_id, key=said["flag"], is_on=True).first()
        standing = standing_of(test) if flag is not None else None
        if flag is not None and standing is not None and standing.is_over:
            turn_off(Actor.system(f"{test.ref} has its {said['of']} people"), test.product, flag.key)
            closed.append(flag.key)
    return closed


def close_answered_door(test: AssumptionTest) -> None:
    """A verdict that comes before all people do closes the door as well."""
    key = (test.measure or {}).get("flag")
    if key and Flag.objects.filter(product=test.product_id, key=key, is_on=True).exists():
        turn_off(Actor.system(f"{test.ref} has its verdict"), test.product, key)


def running_doors(product: Product | None = None) -> QuerySet[AssumptionTest]:
    """Fake doors behind a flag that stand open."""
    running = AssumptionTest.objects.filter(
        status=Progress.IN_PROGRESS, measure__kind="fake_door", measure__flag__isnull=False
    )
    running = running.exclude(measure__flag="").select_related("product")
    return running if product is None else running.filter(product=product)


def dropped_before_code(product: Product) -> list[Solution]:
    """Ideas that were dropped before anybody built them, the latest first: each saved what building it would have cost."""
    dropped = list(Solution.objects.filter(product=product, state=State.DROPPED).order_by("-closed_at"))
    built = Activity.objects.filter(
        product=product,
        verb="set_state",
        subject_type=Solution._meta.label,
        subject_id__in=[one.pk for one in dropped],
        after__state__in=[State.BUILDING.value, State.LIVE.value],
    )
    started = set(built.values_list("subject_id", flat=True))
    return [one for one in dropped if one.pk not in started]
