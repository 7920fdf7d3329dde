"""Experiments from the command line. A table needs no server and no data folder: it is read and judged right here."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson
from whytree.workspace.terminal.client import Client, CommandError, connect
from whytree.workspace.terminal.printing import show

from .deeper.commands import register as register_deeper
from .early import commands as early
from .rollouts.commands import register as register_rollouts

Ref = Annotated[str, typer.Argument(help="An experiment's id, as EXP-4.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    experiment = group("experiment")
    experiment.command("analyze")(analyze)
    experiment.command("list")(list_experiments)
    experiment.command("show")(show_experiment)
    experiment.command("design")(design_experiment)
    experiment.command("create")(create_experiment)
    experiment.command("start")(start_experiment)
    experiment.command("stop")(stop_experiment)
    experiment.command("decide")(decide_experiment)
    early.register(group)
    register_deeper(group)
    register_rollouts(group)


def list_experiments(as_json: AsJson = False) -> None:
    """All experiments, the newest first."""
    client = connect()
    found = client.get(f"/products/{client.product}/experiments")
    lines = [f"{one['ref']:8} {one['standing']:28} {one['flag']:20} {one['title']}" for one in found]
    show(found, as_json, *(lines or ["No experiment yet. `whytree experiment create --flag KEY` plans one."]))


def show_experiment(ref: Ref, as_json: AsJson = False) -> None:
    """What it says: the sentence, the interval with zero drawn, guardrails, and whether to trust it."""
    client = connect()
    found = client.get(_path(client, ref))
    if as_json or found["result"] is None:
        show(found, as_json, *_planned(found))
        return
    from .tables.screen import print_reading, print_schedule

    print_reading(found)
    print_schedule(found["schedule"])


def design_experiment(
    metric: Annotated[
        str, typer.Option(help="Metric that decides; that of the flag's hypothesis, when not said.")
    ] = "",
    flag: Annotated[str, typer.Option(help="Flag whose arms, weights and hypothesis count.")] = "",
    days: Annotated[int, typer.Option(help="Length; the hypothesis's horizon or 28, when not said.")] = 0,
    effect: Annotated[float | None, typer.Option(help="The effect that is hoped for, in points for shares.")] = None,
    looks: Annotated[str, typer.Option(help="once, or always: it may be looked at on any day.")] = "once",
    coverage: Annotated[float, typer.Option(help="Part of all people, in per cent.")] = 100,
    lots: Annotated[
        bool,
        typer.Option(
            "--lots", help="An A/A test on people of the past: does the metric show effects where there are none?"
        ),
    ] = False,
    switchback: Annotated[
        str, typer.Option(help="Everybody switches arms so often, as 2h or 1d: what its blocks of periods would show.")
    ] = "",
    washout: Annotated[str, typer.Option(help="So long after each switch nobody counts, as 20m.")] = "",
    by: Annotated[str, typer.Option(help="Context attribute whose values switch apart, as city.")] = "",
    as_json: AsJson = False,
) -> None:
    """What an experiment could show, from this product's own traffic: before anybody is exposed."""
    from .preparing.said import switchback_of

    client = connect()
    switching = switchback_of(switchback, washout, by)
    said = {"metric": metric, "flag": flag, "looks": looks, "coverage_percent": coverage, "lots": lots}
    more: dict[str, Any] = {"days": days or None, "effect": effect}
    if switching is not None:
        more |= {"switch_minutes": switching["minutes"], "washout": switching["washout"], "by": switching["by"]}
    asked = said | {name: value for name, value in more.items() if value is not None}
    found = client.get(f"/products/{client.product}/experiments/design", **asked)
    show(found, as_json, *_prospect_lines(found))


def _prospect_lines(found: dict[str, Any]) -> list[str]:
    told = found["outlook"]
    lines = [found["reason"]] if found["reason"] else []
    if told is not None:
        unit = "points" if told["unit"] == "pp" else told["unit"]
        lines += [
            told["sentence"],
            f"  now        {told['baseline']:.3g}{' %' if told['unit'] == 'pp' else ''}, of {told['measured']:,}",
        ]
        for week in told["weeks"]:
            shown = "nothing" if week["smallest"] is None else f"{week['smallest']:.3g} {unit}"
            lines.append(
                f"  {week['weeks']} week{'s' if week['weeks'] > 1 else ' '}    {week['people']:>9,} {told['whom']}   {shown}"
            )
        lines += [f"  - {way}" for way in told["instead"]]
    lots = found["aa"]["sentence"] if found["aa"] is not None else found["aa_reason"]
    return [*lines, *([lots] if lots else [])]


def create_experiment(
    flag: Annotated[str, typer.Option(help="The flag whose variants are the arms.")],
    hypothesis: Annotated[str, typer.Option(help="The prediction it tests, as HYP-2; the flag's, when not said.")] = "",
    primary: Annotated[str, typer.Option(help="Metric that decides; the hypothesis's, when not said.")] = "",
    secondary: Annotated[list[str] | None, typer.Option(help="Metric that is looked at too. Repeatable.")] = None,
    guardrail: Annotated[
        list[str] | None,
        typer.Option(help="METRIC=0.5: may get worse by that (points for shares). The hypothesis's too. Repeatable."),
    ] = None,
    weights: Annotated[str, typer.Option(help="As control=50,treatment=50; the flag's, when not said.")] = "",
    control: Annotated[str, typer.Option(help="The arm the others are held against.")] = "",
    days: Annotated[int, typer.Option(help="Length; the hypothesis's horizon, when not said.")] = 0,
    coverage: Annotated[float, typer.Option(help="Part of all people at the start, in per cent.")] = 0,
    looks: Annotated[
        str, typer.Option(help="once: read on the last day; always: on any day, by wider intervals.")
    ] = "",
    rule: Annotated[str, typer.Option(help="better: ship what is better; not_worse: what is not worse.")] = "",
    switchback: Annotated[
        str, typer.Option(help="Everybody switches arms so often, as 2h or 1d: an hour to a week.")
    ] = "",
    washout: Annotated[str, typer.Option(help="So long after each switch nobody counts, as 20m.")] = "",
    by: Annotated[str, typer.Option(help="Context attribute whose values switch apart, as city.")] = "",
    title: Annotated[str, typer.Option(help="What it is called; the solution's title, when not said.")] = "",
    as_json: AsJson = False,
) -> None:
    """Plan an experiment. Nobody is exposed, and everything can change, until it starts."""
    from .preparing.said import plan_of, switchback_of

    client = connect()
    said = {"control": control, "days": days, "coverage_percent": coverage, "looks": looks, "rule": rule}
    plan = plan_of(client, flag, hypothesis, primary, secondary or (), guardrail or (), weights)
    said |= {"switchback": switchback_of(switchback, washout, by)}
    plan |= {name: value for name, value in said.items() if value}
    body = {"flag": flag, "hypothesis": hypothesis or None, "title": title, "plan": plan}
    made = client.post(f"/products/{client.product}/experiments", body)
    show(made, as_json, *_planned(made), f"`whytree experiment start {made['ref']}` fixes all of this.")


def start_experiment(ref: Ref, as_json: AsJson = False) -> None:
    """Fix plan and decision rule, and open the flag as planned."""
    client = connect()
    started = client.post(f"{_path(client, ref)}/start")
    show(started, as_json, f"{started['ref']} has started; it is read on {started['ends_at'][:10]}.")


def stop_experiment(
    ref: Ref,
    reason: Annotated[str, typer.Option(help="Why, in a line.")],
    close_flag: Annotated[
        bool,
        typer.Option("--close-flag", help="Turn the flag off too; what switches back and forth goes off in any case."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """End it now, and read it as of now."""
    client = connect()
    stopped = client.post(f"{_path(client, ref)}/stop", {"reason": reason, "close_flag": close_flag})
    show(stopped, as_json, f"{stopped['ref']} is stopped. {stopped['headline']}")


def decide_experiment(
    ref: Ref,
    decision: Annotated[str, typer.Option(help="ship, stay or iterate")],
    learning: Annotated[str, typer.Option(help="What was learned, in a line or three.")],
    arm: Annotated[str, typer.Option(help="The arm that is shipped, of several.")] = "",
    verdict: Annotated[
        str,
        typer.Option(
            help="Of the prediction: achieved, partly, not_achieved, inconclusive, harm; else what data propose."
        ),
    ] = "",
    leave_flag: Annotated[bool, typer.Option("--leave-flag", help="Leave its flag as it is.")] = False,
    despite: Annotated[str, typer.Option(help="Why, where checks speak against deciding from it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Decide it, once; the prediction's review is decided with it."""
    client = connect()
    body = {"decision": decision, "learning": learning, "arm": arm, "verdict": verdict, "move_flag": not leave_flag}
    body["despite"] = despite
    decided = client.post(f"{_path(client, ref)}/decide", body)
    show(decided, as_json, f"{decided['ref']}: {decided['standing']}.")


def _path(client: Client, ref: str) -> str:
    return f"/products/{client.product}/experiments/{ref}"


def _planned(found: dict[str, Any]) -> list[str]:
    plan = found["plan"]
    arms = ", ".join(f"{arm} {weight}" for arm, weight in plan["weights"].items())
    lines = [f"{found['ref']} {found['title']}", f"  {found['setting']}", f"  flag       {found['flag']}: {arms}"]
    for metric in plan["metrics"]:
        margin = "" if metric["margin"] is None else f", may get worse by {metric['margin']:g}"
        lines.append(f"  {metric['role']:10} {metric['key']}{margin}")
    return lines


def analyze(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, JSON, XLSX or Parquet; also .gz and .zst.")],
    unit: Annotated[str, typer.Option(help="Column that says who: what was assigned to arms.")],
    arm: Annotated[str, typer.Option(help="Column that says which version they got.")],
    metric: Annotated[
        list[str],
        typer.Option(
            help="Column to compare; the first decides. COLUMN:mean, :proportion, :count, :median, :p90, or A/B for a ratio. "
            "Left out, 0 and 1 are a proportion and other numbers a mean. May be repeated."
        ),
    ],
    control: Annotated[str, typer.Option(help="Arm the others are held against; guessed when left out.")] = "",
    weights: Annotated[
        str, typer.Option(help="Planned shares, control first, as 50:50; or a=50,b=50. All alike when left out.")
    ] = "",
    cap: Annotated[
        list[str] | None,
        typer.Option(
            help="METRIC=p99.9 or METRIC=NUMBER: larger values count as that. Decide it beforehand. Repeatable."
        ),
    ] = None,
    margin: Annotated[
        list[str] | None,
        typer.Option(help="METRIC=0.5pp, =2% or =0.3: a guardrail that may get worse by that much. Repeatable."),
    ] = None,
    down: Annotated[list[str] | None, typer.Option(help="Metric of which less is better. Repeatable.")] = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option(help="Column measured before the exposure; makes intervals narrower (CUPED). Repeatable."),
    ] = None,
    prior: Annotated[
        list[str] | None,
        typer.Option(help="METRIC=0:1pp: mean and spread of past effects, for the Bayesian answer. Repeatable."),
    ] = None,
    segment: Annotated[
        str,
        typer.Option(
            help="Column whose parts are told apart, as platform: their sample ratio and the deciding metric."
        ),
    ] = "",
    trigger: Annotated[
        str, typer.Option(help="Column of 0 and 1: whether the change could reach the unit; the others only dilute.")
    ] = "",
    cluster: Annotated[
        str,
        typer.Option(
            help="Column of the groups that were drawn, as company, where units were not drawn by themselves."
        ),
    ] = "",
    switchback: Annotated[
        bool,
        typer.Option("--switchback", help="Units are periods, drawn one by one; each counts once with its rows' mean."),
    ] = False,
    time: Annotated[str, typer.Option(help="Column with each row's time as a number, for --burn-in.")] = "",
    burn_in: Annotated[
        float,
        typer.Option(help="How much of each period is left out, in units of --time: what was before may still show."),
    ] = 0.0,
    repeat: Annotated[
        str,
        typer.Option(help="What a unit's several rows make together: sum, mean, max, last; rows keeps each."),
    ] = "",
    correct: Annotated[
        str, typer.Option(help="Across metrics and arms: holm, bh (Benjamini-Hochberg) or none.")
    ] = "holm",
    sequential: Annotated[
        bool, typer.Option("--sequential", help="Intervals that hold although one looked before the end.")
    ] = False,
    look: Annotated[
        str,
        typer.Option(
            help="Which of how many planned looks this is, as 2/5, in equal steps of units (O'Brien-Fleming)."
        ),
    ] = "",
    level: Annotated[float, typer.Option(help="Of the intervals.")] = 0.95,
    format: Annotated[
        str, typer.Option(help="csv, tsv, jsonl, json, parquet or xlsx, when it is not recognised.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Judge an experiment from a table with a row a unit: estimates, intervals, sample ratio and health. Needs no server."""
    from whytree.errors import Invalid

    from .judgement.plan import make_plan
    from .tables.analysis import analyse
    from .tables.units import read_units

    plan = partial(
        make_plan,
        unit=unit,
        arm=arm,
        metrics=metric,
        control=control,
        weights=weights,
        caps=cap or (),
        margins=margin or (),
        priors=prior or (),
        down=down or (),
        covariates=covariate or (),
        segment=segment,
        correction=correct,
        sequential=sequential,
        look=look,
        repeat=repeat,
        level=level,
        cluster=cluster,
        trigger=trigger,
        switchback=switchback,
        time=time,
        burn_in=burn_in,
    )
    try:
        made, units = read_units(file, plan, format=format)
        analysis = analyse(units, made, file.name)
    except Invalid as error:
        raise CommandError(error.message) from error
    if as_json:
        show(analysis.as_json(), True)
        return
    from .tables.screen import print_analysis

    print_analysis(analysis)
