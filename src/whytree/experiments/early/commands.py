"""Tests before code from the command line: what they show, one person more, the verdict."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson
from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import show

Ref = Annotated[str, typer.Argument(help="A test's id, as TST-4.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("assumption").command("add")(add_assumption)
    test = group("test")
    test.command("plan")(plan_test)
    test.command("list")(list_tests)
    test.command("show")(show_test)
    test.command("start")(start_test)
    test.command("record")(record_session)
    test.command("conclude")(conclude_test)


def add_assumption(
    solution: Annotated[str, typer.Argument(help="The solution it would kill, as SOL-3.")],
    title: Annotated[str, typer.Argument(help="What must be true for it to work.")],
    kind: Annotated[
        str, typer.Option(help="desirability, viability, feasibility, usability or ethical.")
    ] = "desirability",
    importance: Annotated[int, typer.Option(help="If it is wrong: 1 a scratch, 5 it all falls.", min=1, max=5)] = 3,
    as_json: AsJson = False,
) -> None:
    """What must be true for a solution to work, and would hurt most if it were not."""
    client = connect()
    body = {"parent": solution, "title": title, "assumption_type": kind, "importance": importance}
    made = client.post(f"/products/{client.product}/assumptions", body)
    test = f'Test it: whytree test plan {made["ref"]} "…"'
    show(made, as_json, f"{made['ref']} {made['title']} under {solution}. {test}")


def plan_test(
    assumption: Annotated[str, typer.Argument(help="The belief it could prove wrong, as ASM-2.")],
    title: Annotated[str, typer.Argument(help="What could show cheaply that it is wrong.")],
    people: Annotated[str, typer.Option(help="How many of how many are a yes: 4/5.")] = "",
    door: Annotated[str, typer.Option(help="Of a fake door: its events, seen and pressed: shown,pressed.")] = "",
    flag: Annotated[str, typer.Option(help="The door's flag; it goes off when enough have seen it.")] = "",
    survey: Annotated[str, typer.Option(help="One question of a survey: SUR-3:q1.")] = "",
    answer: Annotated[list[str] | None, typer.Option(help="An answer to it that is a yes; several times.")] = None,
    metric: Annotated[str, typer.Option(help="A metric that answers it.")] = "",
    at_least: Annotated[float | None, typer.Option(help="The metric is a yes from here on.")] = None,
    at_most: Annotated[float | None, typer.Option(help="The metric is a yes up to here.")] = None,
    days: Annotated[int, typer.Option(help="The metric's last days that count.")] = 28,
    yes: Annotated[str, typer.Option(help="What would be a yes, in words; needed where nothing is counted.")] = "",
    cost: Annotated[float | None, typer.Option(help="Days of one person.")] = None,
    method: Annotated[str, typer.Option(help="Left out, it follows from what is counted.")] = "",
    as_json: AsJson = False,
) -> None:
    """The smallest thing that could prove a belief wrong: people, a fake door, a survey's question, a metric, or a spike."""
    if sum(map(bool, (metric, door, survey))) > 1 or (metric and people):
        raise CommandError(
            "A test counts one thing: say --metric, --door or --survey; --people goes with the last two."
        )
    if at_least is not None and at_most is not None:
        raise CommandError("Say --at-least or --at-most: a metric is a yes on one side of a number.")
    bounds = at_least is not None or at_most is not None
    for said, of, option in ((flag, door, "--door"), (answer, survey, "--survey"), (bounds, metric, "--metric")):
        if said and not of:
            raise CommandError(f"That belongs to {option}, which is not there. Say it, too.")
    client = connect()
    measure: dict[str, Any] = {}
    if metric:
        way, threshold = ("at_most", at_most) if at_least is None else ("at_least", at_least)
        measure = {"kind": "data", "metric_key": metric, "way": way, "threshold": threshold, "days": days}
    elif people:
        measure = {"kind": "people", **_of(people)}
    if door:
        seen, _, pressed = door.partition(",")
        measure |= {"kind": "fake_door", "seen": seen, "pressed": pressed, "flag": flag}
    elif survey:
        ref, _, question = survey.partition(":")
        points = [int(one) if one.isdecimal() else one for one in answer or ()]
        measure |= {"kind": "survey", "survey": ref, "question": question, "yes": points}
    body = {
        "parent": assumption,
        "title": title,
        "method": method or METHODS[measure.get("kind", "")],
        "success_criterion": yes,
        "cost_days": cost,
        "measure": {"version": 1, **measure} if measure else None,
    }
    made = client.post(f"/products/{client.product}/tests", body)
    show(
        made, as_json, f"{made['ref']} {made['title']}. From its start on it is fixed: whytree test start {made['ref']}"
    )


METHODS = {
    "people": "usability_test",
    "fake_door": "fake_door",
    "survey": "one_question_survey",
    "data": "data_mining",
    "": "research_spike",
}


def _of(people: str) -> dict[str, int]:
    needed, _, of = people.partition("/")
    if not (needed.isdecimal() and of.isdecimal()):
        raise CommandError(f"“{people}”: write how many of how many are a yes, as 4/5.")
    return {"needed": int(needed), "of": int(of)}


def list_tests(as_json: AsJson = False) -> None:
    """Tests before code, with what each costs and where it stands."""
    client = connect()
    found = client.get(f"/products/{client.product}/tests")
    lines = [f"{one['ref']:8} {one['standing']:14} {_cost(one):10} {one['title']}" for one in found]
    show(found, as_json, *(lines or ["No test is planned. `Plan a test` stands beside each assumption of a solution."]))


def show_test(ref: Ref, as_json: AsJson = False) -> None:
    """What would be a yes, what it shows so far, and which verdict the data propose."""
    client = connect()
    test = client.get(f"/products/{client.product}/tests/{ref}")
    progress = client.get(f"/products/{client.product}/tests/{ref}/progress")
    show({**test, "progress": progress}, as_json, *_lines(test, progress))


def start_test(ref: Ref, as_json: AsJson = False) -> None:
    """From here on its criterion is fixed."""
    client = connect()
    test = client.post(f"/products/{client.product}/tests/{ref}/start")
    show(test, as_json, f"{test['ref']} runs. A yes is: {test['success_criterion']}")


def record_session(
    ref: Ref,
    passed: Annotated[bool, typer.Option("--passed/--failed", help="Whether this person did it.")],
    note: Annotated[str, typer.Option(help="What they did, in a line.")] = "",
    as_json: AsJson = False,
) -> None:
    """One more person was watched or asked."""
    client = connect()
    test = client.post(f"/products/{client.product}/tests/{ref}/sessions", {"passed": passed, "note": note})
    progress = client.get(f"/products/{client.product}/tests/{ref}/progress")
    show(test, as_json, *_lines(test, progress))


def conclude_test(
    ref: Ref,
    verdict: Annotated[str, typer.Option(help="validated, invalidated or inconclusive")],
    result: Annotated[str, typer.Option(help="What happened; what the data say, when not said.")] = "",
    as_json: AsJson = False,
) -> None:
    """A person's verdict; it becomes evidence on the assumption and its solution."""
    client = connect()
    if not result:
        progress = client.get(f"/products/{client.product}/tests/{ref}/progress")
        result = f"{progress['text']}. {progress['detail']}" if progress["counts"] else ""
    test = client.post(f"/products/{client.product}/tests/{ref}/conclude", {"verdict": verdict, "result": result})
    show(test, as_json, f"{test['ref']} is {test['verdict']}. {test['result']}".rstrip())


def _cost(test: dict[str, Any]) -> str:
    return "" if test["cost_days"] is None else f"{test['cost_days']:g} d"


def _lines(test: dict[str, Any], progress: dict[str, Any]) -> list[str]:
    lines = [f"{test['ref']} {test['title']}", f"  yes means  {test['success_criterion'] or 'not fixed yet'}"]
    if progress["counts"]:
        lines.append(f"  so far     {progress['text']}. {progress['detail']}")
    if progress["proposed"] and not test["verdict"]:
        lines.append(
            f"  data say   {progress['proposed']}: whytree test conclude {test['ref']} --verdict {progress['proposed']}"
        )
    if test["verdict"]:
        lines.append(f"  verdict    {test['verdict']}: {test['result']}")
    return lines
