"""Flags from the command line: `whytree flag ...`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import print_json, say, tell
from whytree.workspace.terminal.printing import show as show_lines

from .environments import commands as environments
from .environments.commands import Because, Environment, is_waiting, with_query
from .rules import commands as rules

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[str, typer.Argument(help="The flag's key, as code writes it.")]
Weights = Annotated[
    list[str] | None,
    typer.Option("--weight", help="name=share, repeated: --weight on=50 --weight off=50. What is not named gets 0."),
]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    flag = group("flag")
    flag.command("add")(add)
    flag.command("list")(list_all)
    flag.command("show")(show)
    flag.command("edit")(edit)
    flag.command("open")(open_)
    flag.command("on")(on)
    flag.command("off")(off)
    flag.command("archive")(archive)
    flag.command("restore")(restore)
    flag.command("evaluate")(evaluate)
    flag.command("people")(people)
    flag.command("references")(references)
    flag.command("removable")(removable)
    flag.command("remove")(remove)
    rules.register(flag)
    environments.register(flag)
    group("import").command("flags")(rules.import_flags)


def add(
    key: Key,
    name: Annotated[str, typer.Option(help="What it does, in one sentence.")] = "",
    kind: Annotated[str, typer.Option(help="boolean, string, number or json")] = "boolean",
    variant: Annotated[
        list[str] | None,
        typer.Option(help="name=value, repeated; JSON, but a string as it is: --variant low=7.5 --variant high=11.0"),
    ] = None,
    weight: Weights = None,
    default: Annotated[str, typer.Option(help="Variant for people outside the rollout.")] = "",
    solution: Annotated[str, typer.Option(help="The solution it brings, as SOL-3.")] = "",
    hypothesis: Annotated[str, typer.Option(help="The hypothesis it tests, as HYP-4.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a flag, off and at 0 %."""
    body: dict[str, Any] = {"key": key, "name": name, "kind": kind, "default_variant": default}
    body["variants"] = {each: _value(text, kind) for each, text in _pairs(variant)} or None
    body["weights"] = _weights(weight)
    body["solution"], body["hypothesis"] = solution or None, hypothesis or None
    client = connect()
    made = client.post(f"/products/{client.product}/flags", body)
    waits = "Code keeps its own default until another maintainer approves it: whytree flag requests"
    _show(made, as_json, waits if made["archived_at"] else f"Open it with: whytree flag open {key} --percent 5")


def list_all(
    archived: Annotated[bool, typer.Option("--archived", help="Those in the archive instead.")] = False,
    state: Annotated[
        str, typer.Option(help="Only unjustified, running, decided, ready_to_remove or removed ones, with the reason.")
    ] = "",
    environment: Environment = "",
    as_json: AsJson = False,
) -> None:
    """All flags, with their state and what they are for; with `--state`, how far they are on their way out, and why."""
    client = connect()
    if state:
        found = client.get(f"/products/{client.product}/flag-retirements", state=state)
        if as_json:
            print_json(found)
            return
        for one in found:
            tell(f"{one['key']:32} {one['says']}", indent=" " * 33)
        if not found:
            say(f"No flag is {state}.")
        return
    path = f"/products/{client.product}/flags"
    flags = client.get(path, archived=archived or None, environment=environment or None)
    if as_json:
        print_json(flags)
        return
    for flag in flags:
        follows = "as in production  " if flag["follows_production"] else ""
        say(f"{flag['key']:32} {flag['state']:10} {follows}{_purpose(flag)}")
    if not flags:
        say("There is no flag yet. Make one: whytree flag add KEY")


def show(key: Key, environment: Environment = "", as_json: AsJson = False) -> None:
    """One flag: its variants, its rollout, its history."""
    client = connect()
    path = f"/products/{client.product}/flags/{key}"
    flag = client.get(path, environment=environment or None)
    changes = client.get(path + "/changes") if flag["environment"] == "production" else []
    if as_json:
        print_json(flag | {"changes": changes})
        return
    _show(flag, False)
    for change in changes:
        state = f"on {change['coverage_percent']:g} %" if change["is_on"] else "off"
        say(f"  {change['at'][:16].replace('T', ' ')}  {state:10} {_shares(change['weights'])}  {change['by']}")


def edit(
    key: Key,
    name: Annotated[str | None, typer.Option(help="What it does, in one sentence.")] = None,
    default: Annotated[str | None, typer.Option(help="Variant for people outside the rollout.")] = None,
    off: Annotated[str | None, typer.Option(help="Variant for everybody while it is off.")] = None,
    solution: Annotated[str | None, typer.Option(help="The solution it brings, as SOL-3.")] = None,
    hypothesis: Annotated[str | None, typer.Option(help="The hypothesis it tests, as HYP-4.")] = None,
    because: Because = "",
    as_json: AsJson = False,
) -> None:
    """Change what a flag is called, what it gives to whom it does not reach, and what it is for; "" unlinks."""
    said = {
        "name": name,
        "default_variant": default,
        "off_variant": off,
        "solution": solution,
        "hypothesis": hypothesis,
    }
    body = {word: value for word, value in said.items() if value is not None}
    _call("patch", key, with_query("", because=because), as_json, body)


def open_(
    key: Key,
    percent: Annotated[float, typer.Option(help="Share of the people who get into the rollout.")] = 100.0,
    weight: Weights = None,
    environment: Environment = "",
    because: Because = "",
    as_json: AsJson = False,
) -> None:
    """Turn it on for a share of the people. A prediction tied to it locks now."""
    body = {"coverage_percent": percent, "weights": _weights(weight)}
    _call("post", key, with_query("/open", environment=environment, because=because), as_json, body)


def on(key: Key, environment: Environment = "", because: Because = "", as_json: AsJson = False) -> None:
    """Switch on at the coverage it has."""
    _call("post", key, with_query("/on", environment=environment, because=because), as_json)


def off(key: Key, environment: Environment = "", as_json: AsJson = False) -> None:
    """Switch off: everybody gets the off variant."""
    _call("post", key, with_query("/off", environment=environment), as_json)


def archive(key: Key, as_json: AsJson = False) -> None:
    """Switch off and put away; code that still asks gets its own default."""
    client = connect()
    _show(client.delete(f"/products/{client.product}/flags/{key}"), as_json)


def restore(key: Key, as_json: AsJson = False) -> None:
    """Take back from the archive, off."""
    _call("post", key, "/restore", as_json)


def evaluate(
    key: Key,
    person: Annotated[str, typer.Argument(help="The person's id, as the SDK sends it.")] = "",
    as_json: AsJson = False,
) -> None:
    """What one person gets, step by step. This is no exposure."""
    client = connect()
    answer = client.post(f"/products/{client.product}/flags/{key}/evaluate", {"targeting_key": person})
    rules.show_evaluation(answer, as_json)


def people(
    key: Key,
    days: Annotated[int, typer.Option(help="Of exposures.")] = 30,
    limit: Annotated[int, typer.Option(help="Of each variant.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Who is in which variant: the people of each who met it last."""
    client = connect()
    found = client.get(f"/products/{client.product}/flags/{key}/people", days=days, limit=limit)
    lines = [f"{one['at'][:16].replace('T', ' ')}  {one['variant']:12} {one['id']}  {one['name']}" for one in found]
    show_lines(found, as_json, *(lines or ["Nobody has met it. One evaluation of a person in the rollout counts."]))


def references(
    keys: Annotated[list[str] | None, typer.Argument(help="Keys to look for; all flags otherwise.")] = None,
    path: Annotated[Path, typer.Option(help="Your clone.")] = Path(),
    csv: Annotated[
        Path | None, typer.Option(help="Folder for the file coderefs_PRODUCT_REPOSITORY_COMMIT.csv, as LaunchDarkly's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Where flags stand in your clone's HEAD, and which commit took the last reference of the others away.

    A reference is resolved through Python's syntax tree (literals, constants, enums, imports), or a text match.
    What was found is told to the server when the clone was added to it: whytree repository add.
    """
    from .in_code.looking import look, print_found

    found = look(connect(), path, keys or [])
    if csv is not None:
        found.write_csv(csv)
    if as_json:
        print_json(found.as_json())
        return
    print_found(found)


def remove(
    key: Annotated[str, typer.Argument(help="The flag's key, as code writes it.")] = "",
    keep: Annotated[str, typer.Option(help="The variant whose branch stays, as on or off.")] = "",
    path: Annotated[Path, typer.Option(help="Your clone.")] = Path(),
    only: Annotated[
        list[str] | None, typer.Option(help="Change this file or folder only, repeated; others may be refused.")
    ] = None,
    reader: Annotated[
        list[str] | None, typer.Option(help="Name of a function of yours that gives a flag's value, repeated.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Change the files; otherwise the patch is printed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a flag out of the Python code of your clone, keeping the branch of one variant as it is written.

    Prints a patch for `git apply`. One place that is not sure stops all of it, with the reason; nothing is half done.
    """
    from .in_code.removing import on_half, plan_removal, print_plan

    client = connect()
    if not key or not keep:
        raise on_half(client, key)
    plan = plan_removal(client, key, keep, path, only=only or [], readers=reader or [])
    if write and not plan.is_refused:
        plan.write()
    if as_json:
        print_json(plan.as_json(written=write))
    else:
        print_plan(plan, written=write)
    if plan.is_refused:
        raise typer.Exit(1)


def removable(as_json: AsJson = False) -> None:
    """Flags that can go: decided, the same for everybody, and still in code; and where."""
    client = connect()
    ready = client.get(f"/products/{client.product}/flag-retirements", state="ready_to_remove")
    if as_json:
        print_json(ready)
        return
    for one in ready:
        tell(f"{one['key']}: {one['says']}", indent="  ")
        for place in one["references"]:
            say(f"  {place['path']}:{place['line']}  {place['how']}")
        if one["references"]:
            say(f"  {one['command']}")
    if not ready:
        say("No flag can go now: `whytree flag list` shows what each waits for.")


def _call(method: str, key: str, verb: str, as_json: bool, body: dict[str, Any] | None = None) -> None:
    client = connect()
    flag = getattr(client, method)(f"/products/{client.product}/flags/{key}{verb}", body or {})
    if not is_waiting(flag, as_json):
        _show(flag, as_json)


def _show(flag: dict[str, Any], as_json: bool, *more: str) -> None:
    if as_json:
        print_json(flag)
        return
    where = "" if flag["environment"] == "production" else f" in {flag['environment']}"
    follows = ", as in production" if flag["follows_production"] else ""
    say(f"{flag['key']} is {flag['state']}{where}{follows}: {_purpose(flag)}")
    for name, value in flag["variants"].items():
        say(f"  {name:12} {_share(flag['weights'], name):>6}  {json.dumps(value, ensure_ascii=False)}")
    for line in more:
        say(line)


def _purpose(flag: dict[str, Any]) -> str:
    parts = [part for part in (flag["solution"], flag["hypothesis"]) if part]
    return ", ".join(parts + ([] if flag["justified"] else ["unjustified: no hypothesis"]))


def _share(weights: dict[str, int], name: str) -> str:
    return f"{100 * weights.get(name, 0) / sum(weights.values()):.4g} %"


def _shares(weights: dict[str, int]) -> str:
    return ", ".join(f"{name} {_share(weights, name)}" for name in weights if weights[name])


def _pairs(words: list[str] | None) -> list[tuple[str, str]]:
    pairs = [word.partition("=") for word in words or []]
    for name, sign, value in pairs:
        if not (name and sign and value):
            raise CommandError(f"{name!r} is not name=value.")
    return [(name, value) for name, _, value in pairs]


def _weights(words: list[str] | None) -> dict[str, int] | None:
    try:
        return {name: int(value) for name, value in _pairs(words)} or None
    except ValueError as error:
        raise CommandError("A weight is a whole number, as in --weight on=50.") from error


def _value(text: str, kind: str) -> Any:
    if kind == "string":
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is not a {kind} value in JSON.") from error
