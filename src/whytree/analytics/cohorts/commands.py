"""`whytree cohort ...`: groups of people from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect

Key = Annotated[str, typer.Argument(help="Short name, as early_birds.")]
AT_ONCE = 50_000


def register(group: Callable[[str], typer.Typer]) -> None:
    group("cohort").command("add")(add_cohort)
    group("cohort").command("list")(list_cohorts)
    group("cohort").command("show")(show_cohort)
    group("cohort").command("has")(has_person)
    group("cohort").command("replace")(replace_list)
    group("cohort").command("remove")(remove_cohort)


def add_cohort(
    key: Key,
    did: Annotated[
        list[str],
        typer.Option(metavar="EVENT", help="They did this; EVENT:3 three times or more, EVENT:3:28 in 28 days."),
    ] = [],  # noqa: B006 - typer reads it once
    did_not: Annotated[
        list[str], typer.Option("--did-not", metavar="EVENT", help="They did not; EVENT::28 not in 28 days.")
    ] = [],  # noqa: B006 - typer reads it once
    in_order: Annotated[
        list[str], typer.Option("--in-order", metavar="EVENT", help="They did these one after the other.")
    ] = [],  # noqa: B006 - typer reads it once
    within: Annotated[str, typer.Option(metavar="SPAN", help="From the first to the last of --in-order.")] = "14d",
    where: Annotated[
        list[str],
        typer.Option(metavar="FILTER", help="What the newest event says: plan=free; person:company of a person."),
    ] = [],  # noqa: B006 - typer reads it once
    any_of: Annotated[bool, typer.Option("--any", help="Any of these is enough; else all must hold.")] = False,
    rule: Annotated[Path | None, typer.Option(metavar="FILE", help="The rule as JSON, in place of the above.")] = None,
    ids: Annotated[Path | None, typer.Option(metavar="FILE", help="A list: ids one a line, or a CSV.")] = None,
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    as_json: AsJson = False,
) -> None:
    """A group of people, told by what they did, by what is known of them, or by a list."""
    body: dict[str, Any] = {"key": key, "name": name}
    people = _ids(ids) if ids is not None else []
    if people:
        body["ids"] = people[:AT_ONCE]
        if len(people) > AT_ONCE:
            raise CommandError(f"A list from the command line has {AT_ONCE:,} people at most. Bring it on the page.")
    elif rule is not None:
        body["definition"] = _json(rule)
    else:
        order = [{"in_order": in_order, "within": within}] if in_order else []
        parts = [*(_did(text) for text in did), *(_did_not(text) for text in did_not), *order, *_known(where)]
        if not parts:
            raise CommandError("Say what these people did: whytree cohort add early_birds --did signed_up::28")
        body["definition"] = {"version": 1, "any" if any_of else "all": parts}
    client = connect()
    made = client.post(f"/products/{client.product}/cohorts", body)
    show(
        made,
        as_json,
        f"{made['key']}: {made['people']:,} people. {made['sentence'][:1].upper()}{made['sentence'][1:]}.",
    )


def list_cohorts(as_json: AsJson = False) -> None:
    """Cohorts, with the size each had when it was last counted."""
    client = connect()
    found = client.get(f"/products/{client.product}/cohorts")
    lines = [f"{one['key']:24} {one['people'] or 0:>9,}  {one['sentence']}" for one in found]
    show(found, as_json, *(lines or ["None yet. Make one: whytree cohort add early_birds --did signed_up::28"]))


def show_cohort(key: Key, as_json: AsJson = False) -> None:
    """One cohort, counted now."""
    client = connect()
    found = client.get(f"/products/{client.product}/cohorts/{key}")
    lines = [f"{found['name']}: {found['people']:,} people", found["sentence"], ""]
    lines += [f"  {size['day']}  {size['people']:>9,}" for size in found["history"][-14:]]
    show(found, as_json, *lines)


def has_person(
    key: Key,
    person: Annotated[str, typer.Argument(metavar="ID", help="Any of a person's ids.")],
    as_json: AsJson = False,
) -> None:
    """Whether somebody belongs now."""
    from urllib.parse import quote

    client = connect()
    found = client.get(f"/products/{client.product}/cohorts/{key}/members/{quote(person, safe='')}")
    show(found, as_json, f"{person} {'belongs to' if found['inside'] else 'does not belong to'} {key}.")


def replace_list(
    key: Key,
    ids: Annotated[Path, typer.Argument(metavar="FILE", help="Ids one a line, or a CSV.")],
    as_json: AsJson = False,
) -> None:
    """Put other people on a list."""
    client = connect()
    made = client.patch(f"/products/{client.product}/cohorts/{key}", {"ids": _ids(ids)})
    show(made, as_json, f"{made['key']}: {made['people']:,} people.")


def remove_cohort(key: Key, as_json: AsJson = False) -> None:
    """Remove a cohort that no other one names. The people stay."""
    client = connect()
    client.delete(f"/products/{client.product}/cohorts/{key}")
    show({"removed": key}, as_json, f"{key} is gone. The people stay.")


def _did(text: str) -> dict[str, Any]:
    """signed_up, signed_up:3, signed_up:3:28, signed_up::28"""
    event, times, days = _pieces(text)
    return {"did": event, "at_least": times or 1} | ({"days": days} if days else {})


def _did_not(text: str) -> dict[str, Any]:
    event, _, days = _pieces(text)
    return {"did_not": event} | ({"days": days} if days else {})


def _pieces(text: str) -> tuple[str, int, int]:
    event, *numbers = text.rsplit(":", 2) if text.count(":") >= 2 else text.rsplit(":", 1)
    if not all(number.isdecimal() or not number for number in numbers):
        return text, 0, 0
    whole = [int(number or 0) for number in numbers]
    return event, *([*whole, 0, 0][:2])  # type: ignore[return-value]


def _known(filters: list[str]) -> list[dict[str, Any]]:
    from whytree.errors import Invalid

    from ..questions import filter_json, parse_filter

    found: list[dict[str, Any]] = []
    try:
        for text in filters:
            kind = "person" if text.lstrip("!").startswith("person:") else "last"
            found.append({kind: filter_json(parse_filter(text.replace("person:", "", 1)))})
    except Invalid as error:
        raise CommandError(error.message) from error
    return found


def _ids(path: Path) -> list[str]:
    from whytree.errors import Invalid

    from .lists import ids_of

    try:
        return ids_of(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except Invalid as error:
        raise CommandError(error.message) from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{path} is no JSON: {error}.") from error
