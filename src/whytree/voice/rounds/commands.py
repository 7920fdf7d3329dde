"""Usability rounds from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect
from whytree.workspace.terminal.printing import plain

Ref = Annotated[str, typer.Argument(help="As USR-3.")]
Person = Annotated[int, typer.Argument(help="1 for the first who was watched.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    for name, command in (
        ("list", list_rounds),
        ("plan", plan_round),
        ("show", show_round),
        ("person", add_session),
        ("task", note_outcome),
        ("problem", see_problem),
        ("fix", fix_problem),
        ("evidence", show_problem),
        ("retest", plan_retest),
    ):
        group("usability").command(name)(command)


def list_rounds(as_json: AsJson = False) -> None:
    """The rounds, the newest first."""
    client = connect()
    found = client.get(f"/products/{client.product}/usability")
    lines = [
        f"{one['ref']:7} {one['people']:>3} watched  {len(one['problems']):>3} problems  {plain(one['title'])}"
        for one in found
    ]
    show(
        found, as_json, *(lines or ['No round yet: whytree usability plan "Sign-up" --task "Book a bed in the garden"'])
    )


def plan_round(
    title: Annotated[str, typer.Argument(help="What is looked at.")],
    task: Annotated[list[str], typer.Option("--task", help="What each person is asked to do; again for more.")],
    solution: Annotated[str, typer.Option(help="The solution that is tried, as SOL-3.")] = "",
    on: Annotated[str, typer.Option(help="The day, as 2026-03-02.")] = "",
    as_json: AsJson = False,
) -> None:
    """Plan to watch a few people. The script to read to them comes along, and can be changed on the page."""
    client = connect()
    said = {"title": title, "tasks": task, "solution": solution, **({"planned_for": on} if on else {})}
    made = client.post(f"/products/{client.product}/usability", said)
    show(made, as_json, f"{made['ref']} is planned. Watch three people: whytree usability person {made['ref']}")


def show_round(ref: Ref, as_json: AsJson = False) -> None:
    """How each task went, and what people stumbled over, the worst first."""
    client = connect()
    one = client.get(f"/products/{client.product}/usability/{ref}")
    show(one, as_json, *_lines(one))


def _lines(one: dict[str, Any]) -> list[str]:
    tasks = [
        f"  task {each['number']}  {_share(each['did'])} did it{_before(each)}  {plain(each['text'])}"
        for each in one["tasks"]
    ]
    problems = [
        f"  {each['number']:>3}  severity {each['severity']}, {_share(each['seen'])}{_before(each)}  {plain(each['title'])}"
        + (f"  -> {each['solution']}" if each["solution"] else "")
        for each in one["problems"]
    ]
    return [f"{one['ref']} {plain(one['title'])}: {one['people']} watched", *tasks, *problems]


def _share(share: dict[str, Any]) -> str:
    if share["low"] is None:
        return "nobody yet"
    return f"{share['k']} of {share['n']} ({100 * share['low']:.0f} to {100 * share['high']:.0f} %)"


def _before(one: dict[str, Any]) -> str:
    return f", before {one['before']}" if one["before"] else ""


def add_session(
    ref: Ref,
    interview: Annotated[str, typer.Option(help="The talk recorded with them, as INT-3.")] = "",
    person: Annotated[str, typer.Option(help="The id of their events: notes are forgotten with them.")] = "",
    as_json: AsJson = False,
) -> None:
    """One more person is watched."""
    client = connect()
    made = client.post(f"/products/{client.product}/usability/{ref}/people", {"interview": interview, "person": person})
    show(made, as_json, f"Person {made['person']} of {made['round']}.")


def note_outcome(
    ref: Ref,
    person: Person,
    task: Annotated[int, typer.Argument(help="The task's number.")],
    outcome: Annotated[str, typer.Argument(help="did, helped or failed.")],
    as_json: AsJson = False,
) -> None:
    """How a task went with somebody."""
    client = connect()
    one = client.put(f"/products/{client.product}/usability/{ref}/people/{person}/tasks/{task}", {"outcome": outcome})
    show(one, as_json, *_lines(one))


def see_problem(
    ref: Ref,
    person: Person,
    title: Annotated[str, typer.Argument(help="What happened; the same words again are the same problem.")],
    severity: Annotated[int, typer.Option(help="1 hardly noticed, 2 a moment, 3 went astray, 4 could not go on.")] = 2,
    task: Annotated[int | None, typer.Option(help="At which task.")] = None,
    note: Annotated[str, typer.Option(help="What they did or said.")] = "",
    as_json: AsJson = False,
) -> None:
    """Somebody stumbled over something."""
    client = connect()
    said = {"title": title, "severity": severity, "task": task, "note": note}
    one = client.post(f"/products/{client.product}/usability/{ref}/people/{person}/problems", said)
    show(one, as_json, *_lines(one))


def fix_problem(
    ref: Ref,
    problem: Annotated[int, typer.Argument(help="The problem's number.")],
    fix: Annotated[str, typer.Argument(help="The least that can be done about it.")],
    as_json: AsJson = False,
) -> None:
    """The smallest fix becomes a solution."""
    client = connect()
    made = client.post(f"/products/{client.product}/usability/{ref}/problems/{problem}/fix", {"fix": fix})
    show(made, as_json, f"{made['solution']} is to fix it.")


def show_problem(
    ref: Ref,
    problem: Annotated[int, typer.Argument(help="The problem's number.")],
    node: Annotated[str, typer.Argument(help="The node, as OPP-3.")],
    as_json: AsJson = False,
) -> None:
    """A problem is evidence of a node, with k of n and its interval."""
    client = connect()
    made = client.post(f"/products/{client.product}/usability/{ref}/problems/{problem}/evidence", {"node": node})
    show(made, as_json, f"{made['stance']} {made['node']}: {plain(made['statement'])}")


def plan_retest(
    ref: Ref, on: Annotated[str, typer.Argument(help="The day, as 2026-03-02.")], as_json: AsJson = False
) -> None:
    """The same tasks again, after the fixes."""
    client = connect()
    made = client.post(f"/products/{client.product}/usability/{ref}/retest", {"planned_for": on})
    show(made, as_json, f"{made['ref']} is planned for {made['planned_for']}.")
