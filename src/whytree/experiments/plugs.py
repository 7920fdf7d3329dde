"""Where experiments show and listen: reviews that were decided, the solution's page, Today, the box."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from whytree.flags.models import Flag
from whytree.tree.models import AssumptionTest, Solution
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may_write
from whytree.workspace.rights.actors import Actor
from whytree.workspace.sockets import Figure, Hit, Panel, Tone, on_fact, plug_figure, plug_panel, plug_search

from . import queries
from .early.before_code import close_answered_door, dropped_before_code, refuse_uncountable, standings
from .models import Bandit, Experiment, Rollout
from .rollouts.deciding import options_of
from .rollouts.pictures import rails_of, steps_of
from .rollouts.services import is_taken, others_of
from .rollouts.steps import USUAL
from .underway.holding import refuse_edit, refuse_metric, running_on
from .verdict import deciding
from .verdict.reading import state_of
from .verdict.telling import standing


def plug() -> None:
    on_fact("review_decided", decide_with_review)
    on_fact("metric_changing", refuse_metric)
    on_fact("flag_editing", refuse_edit)
    on_fact("test_starting", refuse_uncountable)
    on_fact("test_concluded", close_answered_door)
    plug_panel("solution", solution_panel, order=15)
    plug_panel("solution", rollout_panel, order=12)
    plug_panel("flag", flag_panel)
    plug_panel("today", today_panel, order=5)
    plug_panel("today", halted_panel, order=3)
    plug_panel("today", dropped_panel, order=70)
    plug_figure("test", test_figures)
    plug_search(find_by_words)


def decide_with_review(
    actor: Actor,
    product: Product,
    solution_id: int,
    hypothesis_id: int,
    decision: str,
    learning: str,
    arm: str,
    despite: str,
) -> None:
    """A prediction's review was decided: so are the experiments that tested it."""
    open_ones = Experiment.objects.filter(
        product=product, hypothesis=hypothesis_id, started_at__isnull=False, decided_at=None
    )
    for experiment in open_ones.select_related("product"):
        shipped = arm if arm in experiment.design.arms else ""
        deciding.follow_review(
            actor,
            experiment,
            decision=decision,
            learning=learning,
            arm=shipped,
            at=timezone.now(),
            despite=despite,
        )


def solution_panel(actor: Actor, product: Product, solution: Solution) -> Panel | None:
    """The solution's experiments, a line each."""
    found = list(queries.experiments_of(solution.pk))
    flag = None if found or solution.is_closed else _testing_flag(solution)
    if not found and flag is None:
        return None
    now = timezone.now()
    context = {"product": product, "rows": [(one, standing(one, now)) for one in found], "flag": flag}
    return Panel(
        "Experiment" if len(found) == 1 else "Experiments", "experiments/_solution_panel.html", context, column="aside"
    )


def rollout_panel(actor: Actor, product: Product, solution: Solution) -> Panel | None:
    """The steps of the solution's guarded rollout, where it stands, and a person's override."""
    found = queries.rollouts(product).filter(flag__solution=solution).first()
    if found is None:
        return None
    return Panel("Rollout", "experiments/_rollout_panel.html", _shown(found), tone=ROLLOUT_TONES[found.state])


def flag_panel(actor: Actor, product: Product, flag: Flag) -> Panel | None:
    """The flag's experiment, guarded rollout, or what shares its people out, while it is under way; else how to begin one."""
    experiment = running_on(flag)
    if experiment is not None:
        context = {
            "product": product,
            "rows": [(experiment, standing(experiment, timezone.now()))],
            "flag": None,
            "plans": True,
        }
        return Panel("An experiment runs on it", "experiments/_solution_panel.html", context)
    found = queries.rollouts(product).filter(flag=flag).first()
    if found is not None and (found.is_open or found.wants_decision):
        return Panel("Step by step", "experiments/_rollout_panel.html", _shown(found))
    bandit = Bandit.objects.filter(flag=flag, ended_at=None).first()
    if bandit is not None:
        return Panel("Shared out by results", "experiments/_bandit_panel.html", {"bandit": bandit})
    if flag.archived_at is not None or not may_write(actor, product) or is_taken(flag):
        return None
    context = {"flag": flag, "variants": others_of(flag), "usual": USUAL, "rails": rails_of(flag), "last": found}
    return Panel("Step by step", "experiments/_rollout_start.html", context)


def _shown(rollout: Rollout) -> dict[str, Any]:
    return {"rollout": rollout, "steps": steps_of(rollout), "options": options_of(rollout)}


ROLLOUT_TONES: dict[str, Tone] = {"running": "blue", "halted": "red", "rolled_back": "red", "done": "leaf", "ended": ""}


def halted_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """Rollouts that a guardrail stopped: the loudest thing there is."""
    waiting = list(queries.waiting_rollouts(product))
    if not waiting:
        return None
    is_one, all_halted = len(waiting) == 1, all(one.is_open for one in waiting)
    who = "One rollout" if is_one else f"{len(waiting)} rollouts"
    does = ("is halted" if is_one else "are halted") if all_halted else ("wants" if is_one else "want") + " a decision"
    return Panel("Halted", "experiments/_halted_panel.html", {"halted": waiting}, tone="red", headline=f"{who} {does}.")


def _testing_flag(solution: Solution) -> Flag | None:
    """A flag that tests a hypothesis and is not open yet: an experiment may still be planned on it."""
    return Flag.objects.filter(solution=solution, hypothesis__isnull=False, archived_at=None, is_on=False).first()


def today_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """Experiments that are over and test no prediction: nobody else asks for their verdict."""
    now = timezone.now()
    waiting = [
        one
        for one in queries.list_experiments(product).filter(hypothesis=None, decided_at=None)
        if state_of(one, now) in ("ended", "stopped")
    ]
    if not waiting:
        return None
    says = "One experiment wants a decision." if len(waiting) == 1 else f"{len(waiting)} experiments want a decision."
    context = {"product": product, "rows": [(one, standing(one, now)) for one in waiting[:5]]}
    return Panel("Experiments to decide", "experiments/_solution_panel.html", context, tone="amber", headline=says)


def test_figures(product: Product, tests: Sequence[AssumptionTest]) -> dict[int, Figure]:
    """What running tests before code show so far, and which verdict the data propose."""
    return {
        pk: Figure(value=one.text, note=one.detail, proposed=one.proposed, tone="amber" if one.proposed else "")
        for pk, one in standings(tests).items()
    }


#: How long an idea that was dropped before code is celebrated on Today: a quarter.
CELEBRATED = timedelta(days=91)


def dropped_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """Ideas that died before anybody wrote code for them: a cheap no is a good result."""
    since = timezone.now() - CELEBRATED
    dropped = [one for one in dropped_before_code(product) if one.closed_at is not None and one.closed_at >= since]
    if not dropped:
        return None
    context = {"product": product, "dropped": dropped[:5], "more": len(dropped) - 5}
    return Panel("Dropped before code", "experiments/_dropped_panel.html", context, column="aside", tone="leaf")


def find_by_words(actor: Actor, product: Product, words: str, limit: int) -> list[Hit]:
    """An experiment by its id."""
    if not queries.REF.fullmatch(words.strip()):
        return []
    found = Experiment.objects.filter(product=product, number=int(words.strip().split("-")[1])).first()
    return [Hit("experiment", found.ref, found.title, found.url, 1.0)] if found is not None else []
