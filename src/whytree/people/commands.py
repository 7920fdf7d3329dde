"""People from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import ask

Id = Annotated[str, typer.Argument(help="Any id of theirs.")]
OtherId = Annotated[str, typer.Argument(help="The other id.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    group("person").command("list")(list_people)
    group("person").command("show")(show_person)
    group("person").command("separate")(separate)
    group("person").command("join")(join)
    group("person").command("internal")(set_internal)
    group("person").command("export")(export_person)
    group("person").command("erase")(erase_person)


def _path(product: str, key: str, *more: str) -> str:
    return "/".join([f"/products/{product}/people/{quote(key, safe='')}", *more])


def list_people(
    words: Annotated[list[str] | None, typer.Argument(help="Words in name, e-mail, company or id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Known people, last seen first."""
    client = connect()
    found = client.get(f"/products/{client.product}/people", search=" ".join(words or []))
    lines = [
        f"{person['last_seen_at'][:16]}  {person['name'] or person['email'] or person['key']:32} {person['key']}"
        for person in found["people"]
    ]
    show(found, as_json, *(lines or ["Nobody is known by name yet. Call identify in your product."]))


def show_person(key: Id, as_json: AsJson = False) -> None:
    """Who somebody is and what they did last."""
    client = connect()
    person = client.get(_path(client.product, key))
    moments = client.get(_path(client.product, key, "timeline"))["moments"]
    lines = [f"{moment['timestamp'][:19]}  {moment['event']}" for moment in moments[:20]]
    others = [each for each in person["ids"] if each != person["key"]]
    show(
        {**person, "timeline": moments},
        as_json,
        f"{person['label']}, {person['events']:,} {'event' if person['events'] == 1 else 'events'}",
        *([f"also {', '.join(others)}"] if others else []),
        *lines,
    )


def separate(key: Id, other: OtherId, as_json: AsJson = False) -> None:
    """Take an id away from somebody, whatever arrives later."""
    client = connect()
    person = client.post(_path(client.product, key, "separate"), {"id": other})
    show(person, as_json, f"{other} is a person of its own now. Take it back: whytree person join {key} {other}")


def join(key: Id, other: OtherId, as_json: AsJson = False) -> None:
    """Say that two ids are one person."""
    client = connect()
    person = client.post(_path(client.product, key, "join"), {"id": other})
    show(person, as_json, f"{', '.join(person['ids'])} are one person now.")


def set_internal(
    key: Id,
    internal: Annotated[bool, typer.Option("--yes/--no", help="Of the team, or a user after all.")] = True,
    as_json: AsJson = False,
) -> None:
    """Say that somebody belongs to the team: a flag that only the team sees is not open yet."""
    client = connect()
    person = client.patch(_path(client.product, key, "internal"), {"internal": internal})
    show(person, as_json, f"{person['label']} {'belongs to the team' if internal else 'counts as a user'} now.")


def export_person(
    key: Id,
    to: Annotated[
        Path | None, typer.Option(help="File to write; what it holds is told in a line when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Everything that is known of a person, as JSON: what they may ask for."""
    client = connect()
    told = client.get(_path(client.product, key, "everything"))
    held = f"{len(told['events']):,} events and what else is known of {key}"
    if to is None:
        show(told, as_json, f"There are {held}. Write it down with --to FILE, or print it with --json.")
        return
    to.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    show(told, as_json, f"{to} holds {held}.")


def erase_person(
    key: Id,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget a person for good: words, profile, events and exposures. Past counts and decisions stay as they are."""
    client = connect()
    if not yes and ask(f"There is no way back. Type {key} to forget them for good") != key:
        raise CommandError("Nothing was forgotten.")
    done = client.delete(_path(client.product, key))
    rest = "" if done["finished_at"] else " The rest follows by itself."
    events = f"{done['events']:,} events went"
    show(
        done,
        as_json,
        f"Forgotten. What is left is the number {done['number']}; {events}.{rest} Backups made before still hold them.",
    )
