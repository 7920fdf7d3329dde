"""Reasons to trust a running or finished experiment, or not to: checks of the server's side, beside those of `health`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Q

from whytree.analytics.queries import people
from whytree.engines.stats import NoAnswer, Stratum
from whytree.engines.stats.effects import stratified_means
from whytree.engines.stats.moments import Moments
from whytree.flags.models import Flag
from whytree.tree.models import SETTLED_STATES, State

from ..constants import COVARIATE_DIFFERS
from ..judgement.results import Check, RatioFigure, Trust
from ..judgement.sentences import in_percent, listed, p_text, several
from ..models import Experiment
from ..switchbacks.checking import switchback_checks
from ..switchbacks.counting import PeriodsCounted
from ..tables import health
from .running import Run
from .trial import Counted

#: An event that was not seen for so long, while people were exposed, is named.
SILENT = timedelta(days=3)


def checks_of(ran: Run, ratio: RatioFigure, *, most_aside: float) -> list[Check]:
    """In the order in which one would ask."""
    heads = ran.heads
    drawn = (
        switchback_checks(ran, heads, most_aside)
        if isinstance(heads, PeriodsCounted)
        else [*two_arms(heads, most_aside), *_without_weight(ran)]
    )
    return [
        *health.of_sample_ratio([ratio]),
        *drawn,
        *_flag(ran),
        *_taken_back(ran),
        *silent(ran.counted.values(), ran.last_seen, ran.trial.now),
        *[check for counted in ran.counted.values() for check in _numbers(counted)],
        *[check for counted in ran.counted.values() for check in _covariate(counted, ran)],
        *_left_out(ran),
        *_peeked(ran.experiment),
        *_overlaps(ran),
    ]


def two_arms(heads: Counted, most: float) -> list[Check]:
    """Who met both, while the weights stood still."""
    aside = sum(cell.quarantined for cell in heads.cells)
    seen = sum(cell.seen for cell in heads.cells)
    if not aside:
        return [Check("seen in two arms", "ok", "Nobody.")] if seen else []
    share = aside / (aside + seen)
    standing: Trust = "broken" if share > most else "ok"
    told = f"{people(aside)} ({in_percent(share)}), left out: for them the draw was broken."
    if standing == "broken":
        told += " More than 1 % is not harmless. Does a client change its id, at sign-in say, without telling?"
    return [Check("seen in two arms", standing, told)]


def _without_weight(ran: Run) -> list[Check]:
    odd = 0
    for place, stretch in enumerate(ran.trial.stretches):
        odd += sum(c.seen for c in ran.heads.cells if c.period == place and not stretch.weights.get(c.arm, 0))
    if not odd:
        return []
    return [
        Check(
            "arm without weight",
            "look",
            f"{odd:,} were seen in an arm that had no weight then: a client on older rules.",
        )
    ]


def _flag(ran: Run) -> list[Check]:
    """The flag was taken away or closed under the running experiment."""
    flag: Flag = ran.experiment.flag
    archived = flag.archived_at
    if archived is not None and archived < ran.trial.now:
        told = f"{flag.key} was archived on {archived:%-d %b %Y}: nobody new has met it since. Restore it, or stop {ran.experiment.ref}."
        return [Check("flag", "look", told)]
    last = max((stretch.end for stretch in ran.trial.stretches), default=None)
    if last is not None and last < ran.trial.now:
        told = f"{flag.key} was turned off on {last:%-d %b %Y}: nobody new has met it since. Turn it on, or stop {ran.experiment.ref}."
        return [Check("flag", "look", told)]
    alone = [name for name, weight in flag.weights.items() if weight]
    if ran.trial.now < (ran.experiment.read_at or ran.trial.now) and len(alone) < 2 and ran.design.switchback is None:
        told = (
            f"{flag.key} gives everybody “{''.join(alone)}” now: nobody new is compared. Give its arms their weights again, or stop "
            f"{ran.experiment.ref}."
        )
        return [Check("flag", "look", told)]
    if not ran.heads.cells:
        told = f"Nobody has met {flag.key} yet. Does the code ask for it, and does it ask here?"
        return [Check("flag", "look", told)]
    return []


def _taken_back(ran: Run) -> list[Check]:
    """Its solution was settled by hand while people are still in it."""
    experiment, now = ran.experiment, ran.trial.now
    solution = experiment.flag.solution
    is_over = experiment.is_decided or now >= (experiment.read_at or now)
    if solution is None or is_over or State(solution.state) not in SETTLED_STATES:
        return []
    told = f"{solution.ref} is {solution.standing} while {experiment.ref} runs, and people still get its arms. Stop it, and decide."
    return [Check("solution", "look", told)]


def silent(counted: Iterable[Counted], last_seen: Mapping[str, datetime], now: datetime) -> list[Check]:
    """Events of the metrics that do not come in any more."""
    asked, quiet = list(counted), []
    for event in dict.fromkeys(one.counting.goal.event for one in asked):
        last = last_seen.get(event)
        if last is None:
            quiet.append(f"“{event}” has never come in")
        elif now - last > SILENT:
            quiet.append(f"“{event}” last came in on {last:%-d %b %Y}")
    if not quiet:
        return [Check("metrics", "ok", "All their events still come in.")] if any(one.cells for one in asked) else []
    return [Check("metrics", "look", f"{listed(quiet)}. Is it still sent?")]


def _numbers(counted: Counted) -> list[Check]:
    unreadable = sum(counted.sums(cell).unreadable for cell in counted.cells)
    if not unreadable:
        return []
    goal = counted.counting.goal
    told = (
        f"{several(unreadable, 'event')} “{goal.event}” {'has' if unreadable == 1 else 'have'} no finite number in “{goal.amount}” "
        "and add nothing. Find out what writes them."
    )
    return [Check(f"{counted.counting.metric.name}: no number", "look", told)]


def _covariate(counted: Counted, ran: Run) -> list[Check]:
    """What was done before the exposure cannot differ by the change."""
    if counted.counting.goal.before is None:
        return []
    control, worst = ran.design.control, 1.0
    others = ran.design.arms[1:]
    for arm in others:
        answer = stratified_means(
            [Stratum(_before(counted, p, control), _before(counted, p, arm)) for p in range(counted.strata)]
        )
        if not isinstance(answer, NoAnswer):
            worst = min(worst, answer.p * len(others))
    if worst >= COVARIATE_DIFFERS:
        return []
    told = (
        f"The arms differed in {counted.counting.metric.name} already before the exposure (p = {p_text(worst)}): the draw was not "
        "fair, or something else told them apart. Find out before this becomes a lesson."
    )
    return [Check("alike beforehand", "broken", told)]


def _before(counted: Counted, place: int, arm: str) -> Moments:
    for cell in counted.of(arm):
        if cell.period == place and cell.closed:
            sums = counted.sums(cell)
            return Moments(cell.closed, np.array([sums.before]), np.array([[sums.before_m2]]))
    return Moments(0, np.zeros(1), np.zeros((1, 1)))


#: Of the units that could be compared, the part that a metric may leave out unsaid.
MOST_UNSAID = 0.01


def _left_out(ran: Run) -> list[Check]:
    """Metrics that some period of constant weights is too thin for: it drops out of them alone, and takes its units along."""
    checks = []
    for key, result in ran.metrics.items():
        counted = ran.counted[key]
        if isinstance(counted, PeriodsCounted):
            continue
        for one in result.comparisons:
            there, used = counted.comparable(ran.design.control, one.arm), (one.n_control or 0) + (one.n_treatment or 0)
            if one.difference is not None and there - used > MOST_UNSAID * there:
                told = (
                    f"{there - used:,} of {there:,} {ran.design.whom} met {one.arm} or {ran.design.control} in a period of constant "
                    f"weights that is too thin for a {result.kind}: that period is not in this comparison."
                )
                checks.append(Check(f"{result.name}: a period left out", "look", told))
    return checks


def _peeked(experiment: Experiment) -> list[Check]:
    if experiment.stopped_at is None or experiment.ends_at is None or experiment.stopped_at >= experiment.ends_at:
        return []
    if experiment.design.looks == "always":
        return []
    told = "It was stopped before the day on which it was to be read. Its intervals are the wider ones that bear stopping at any time."
    return [Check("stopped early", "look", told)]


def _overlaps(ran: Run) -> list[Check]:
    """Others that ran in the same days and are decided by the same metric."""
    experiment = ran.experiment
    started, _, read_at = experiment.times
    near = Experiment.objects.filter(product=experiment.product_id, started_at__lt=read_at, ends_at__gt=started)
    near = near.filter(Q(stopped_at=None) | Q(stopped_at__gt=started)).exclude(pk=experiment.pk)
    key = experiment.design.primary.key
    same = sorted(one.ref for one in near if one.design.primary.key == key)
    if not same:
        return []
    name = ran.counted[key].counting.metric.name
    told = (
        f"{listed(same)} ran in the same days on “{name}”. Arms are drawn apart, so each difference is fair by itself; "
        "what the changes do together is in neither."
    )
    return [Check("overlap", "look", told)]
