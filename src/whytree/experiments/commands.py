"""Experiments from the command line. A table needs no server and no data folder: it is read and judged right here."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from whytree.workspace.client import CommandError
from whytree.workspace.commands import AsJson
from whytree.workspace.printing import show


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    group("experiment").command("analyze")(analyze)


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
    segment: Annotated[str, typer.Option(help="Column by which the sample ratio is checked too, as platform.")] = "",
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

    from .analysis import analyse
    from .plan import make_plan
    from .units import read_units

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
    )
    try:
        made, units = read_units(file, plan, format=format)
        analysis = analyse(units, made, file.name)
    except Invalid as error:
        raise CommandError(error.message) from error
    if as_json:
        show(analysis.as_json(), True)
        return
    from .screen import print_analysis

    print_analysis(analysis)
