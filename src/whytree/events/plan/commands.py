"""`whytree plan ...`: the tracking plan as YAML beside the code that sends the events."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect

File = Annotated[Path, typer.Argument(metavar="FILE", help="The plan as YAML.")]
MOST_BYTES = 5_000_000


def register(group: Callable[[str], typer.Typer]) -> None:
    group("plan").command("export")(export_plan)
    group("plan").command("diff")(diff_plan)
    group("plan").command("apply")(apply_plan)
    group("plan").command("check")(check_plan)
    group("plan").command("event")(plan_event)
    group("plan").command("unplan")(unplan_event)
    group("plan").command("strict")(set_strict)


def export_plan(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Where to; printed without it.")] = None,
    seen: Annotated[bool, typer.Option("--seen", help="Also name what is sent and not planned, as expected.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the plan as YAML, always the same for the same plan."""
    client = connect()
    path = f"/products/{client.product}/events"
    plan = client.get(f"{path}/plan")["plan"]
    if seen:
        _add_seen(plan, client.get(f"{path}/catalogue")["events"])
    text = _as_yaml(plan)
    if file is None:
        show(plan, as_json, text.rstrip())
        return
    file.write_text(text, encoding="utf-8")
    show(plan, as_json, f"{len(plan['events']):,} events stand in {file}.")


def diff_plan(file: File, as_json: AsJson = False) -> None:
    """What applying this file would change."""
    client = connect()
    changes = client.post(f"/products/{client.product}/events/plan/diff", {"plan": _read(file)})
    show(changes, as_json, *(_lines(changes) or ["The plan says this already."]))


def apply_plan(file: File, as_json: AsJson = False) -> None:
    """Make this file the plan; what it does not name is planned no longer."""
    client = connect()
    changes = client.put(f"/products/{client.product}/events/plan", {"plan": _read(file)})
    show(changes, as_json, *(_lines(changes) or ["The plan said this already."]))


def check_plan(as_json: AsJson = False) -> None:
    """Hold the plan against what is sent; ends with 1 when something breaks it, for CI."""
    client = connect()
    found = client.get(f"/products/{client.product}/events/plan")
    lines = [f"  {each['event'][:32]:32} {each['says']}" for each in found["violations"]]
    show(found, as_json, found["sentence"], *lines)
    if found["violations"]:
        raise typer.Exit(1)


Event = Annotated[str, typer.Argument(metavar="EVENT", help="As your product sends it.")]


def plan_event(
    event: Event,
    status: Annotated[str | None, typer.Option(help="expected, deprecated or unexpected.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for it.")] = None,
    description: Annotated[str | None, typer.Option(help="What it means.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what one event is; what is left out stays. Properties are described in the file, or on the page."""
    client = connect()
    said = {"event": event, "status": status, "owner": owner, "description": description}
    found = client.patch(f"/products/{client.product}/events/plan", said)
    facts = [found["status"], found["owner"] and f"owned by {found['owner']}", found["description"]]
    show(found, as_json, f"{event}: {', '.join(filter(None, facts))}")


def unplan_event(event: Event, as_json: AsJson = False) -> None:
    """Plan an event no longer. What is sent of it still comes in."""
    client = connect()
    client.delete(f"/products/{client.product}/events/plan?event={quote(event, safe='')}")
    show({"event": event}, as_json, f"{event} stands in the plan no longer.")


def set_strict(
    off: Annotated[bool, typer.Option("--off", help="Others may come.")] = False, as_json: AsJson = False
) -> None:
    """What stands in no plan breaks it: a slip in a name is found, and everything new has to be planned."""
    client = connect()
    found = client.put(f"/products/{client.product}/events/plan/strict", {"strict": not off})
    show(found, as_json, "Others may come." if off else "What stands in no plan breaks it.")


def _read(file: Path) -> Any:
    import yaml

    try:
        if file.stat().st_size > MOST_BYTES:
            raise CommandError(f"{file} has more than {MOST_BYTES:,} bytes; a plan has fewer.")
        plan = _plain(yaml.safe_load(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise CommandError(f"{file} is no YAML: {str(error).splitlines()[0][:200]}.") from error
    if not isinstance(plan, dict):
        raise CommandError(f"{file} is no plan: it begins with whytree_plan: 1.")
    return plan


def _plain(value: Any) -> Any:
    """What JSON can carry: YAML reads 404 as a number, `on` as true and 2026-01-01 as a date, also where names stand."""
    if isinstance(value, dict):
        return {name if isinstance(name, str) else _word(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _word(name: Any) -> str:
    if isinstance(name, bool):
        raise CommandError(f"A name reads as {name}: put on, off, yes, no, true and false into quotes.")
    return str(name)


def _as_yaml(plan: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(plan, allow_unicode=True, sort_keys=False, width=110)


def _add_seen(plan: dict[str, Any], events: list[dict[str, Any]]) -> None:
    for event in events:
        if event["name"] not in plan["events"] and not event["name"].startswith("$"):
            kinds = {each["name"]: each["types"] for each in event["properties"] if not each["name"].startswith("$")}
            properties = {name: types[0] if len(types) == 1 else "any" for name, types in sorted(kinds.items())}
            plan["events"][event["name"]] = {"status": "expected"} | ({"properties": properties} if properties else {})
    plan["events"] = dict(sorted(plan["events"].items()))


def _lines(changes: list[dict[str, Any]]) -> list[str]:
    signs = {"added": "+", "removed": "-", "changed": "~"}
    return [
        line
        for change in changes
        for line in (
            f"{signs[change['what']]} {change['event'] or 'the plan'}",
            *(f"    {detail}" for detail in change["details"]),
        )
    ]
