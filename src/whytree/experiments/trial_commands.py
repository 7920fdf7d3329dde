"""Tests before code from the command line: what they show, one person more, the verdict."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.workspace.client import connect
from whytree.workspace.commands import AsJson
from whytree.workspace.printing import show

Ref = Annotated[str, typer.Argument(help="A test's id, as TST-4.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    test = group("test")
    test.command("list")(list_tests)
    test.command("show")(show_test)
    test.command("start")(start_test)
    test.command("record")(record_session)
    test.command("conclude")(conclude_test)


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
