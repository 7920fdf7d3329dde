"""Sorting voices from the command line, one or many at once."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

import typer

from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect

Refs = Annotated[list[str], typer.Argument(help="As FB-12; several at once are one act.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("feedback").command("tag")(tag)
    group("feedback").command("untag")(untag)
    group("feedback").command("assign")(assign)
    group("feedback").command("snooze")(snooze)
    group("feedback").command("status")(set_status)
    group("feedback").command("statuses")(statuses)
    group("feedback").command("similar")(similar)
    group("feedback").command("merge")(merge)
    group("feedback").command("part")(part)


def _triage(refs: list[str], act: str, value: str, as_json: bool) -> None:
    client = connect()
    done = client.post(f"/products/{client.product}/feedback-triage", {"refs": refs, "act": act, "value": value})
    number = "1 voice is" if done["changed"] == 1 else f"{done['changed']:,} voices are"
    show(done, as_json, f"{number} {done['said']}." if done["changed"] else f"Nothing changed: already {done['said']}.")


def tag(
    name: Annotated[str, typer.Argument(help="The tag; a new one is made.")], refs: Refs, as_json: AsJson = False
) -> None:
    """Sort voices under a word."""
    _triage(refs, "tag", name, as_json)


def untag(name: Annotated[str, typer.Argument(help="The tag.")], refs: Refs, as_json: AsJson = False) -> None:
    """Take a tag off."""
    _triage(refs, "untag", name, as_json)


def assign(
    refs: Refs,
    to: Annotated[str, typer.Option(help="A member's e-mail address or name, me, or nothing for nobody.")] = "me",
    as_json: AsJson = False,
) -> None:
    """Say who takes care of voices."""
    _triage(refs, "assign", to, as_json)


def snooze(
    refs: Refs,
    until: Annotated[str, typer.Option(help="A day as 2026-03-02 or a number of days; nothing wakes it.")] = "7",
    as_json: AsJson = False,
) -> None:
    """Let voices sleep: they wait, and are shown again on that day."""
    _triage(refs, "snooze", until, as_json)


def set_status(
    name: Annotated[str, typer.Argument(help="One of `whytree feedback statuses`; empty for none.")],
    refs: Refs,
    as_json: AsJson = False,
) -> None:
    """Give voices one of the team's statuses."""
    _triage(refs, "set_status", name, as_json)


def statuses(
    add: Annotated[str, typer.Option(help="A new one.")] = "",
    waits: Annotated[bool, typer.Option("--waits/--done", help="Whether a voice that stands so still waits.")] = True,
    tells: Annotated[bool, typer.Option("--tells", help="Those who said it hear of it.")] = False,
    remove: Annotated[str, typer.Option(help="One to remove; voices that stood so have none then.")] = "",
    as_json: AsJson = False,
) -> None:
    """The team's own words for where a voice stands."""
    client = connect()
    path = f"/products/{client.product}/feedback-statuses"
    if add:
        client.post(path, {"name": add, "waits": waits, "tells": tells})
    if remove:
        client.delete(f"{path}/{quote(remove, safe='')}")
    found = client.get(path)
    lines = [
        f"{one['name']}  {'still waits' if one['waits'] else 'is put away'}{', is told' if one['tells'] else ''}"
        for one in found
    ]
    show(found, as_json, *(lines or ["No status yet: whytree feedback statuses --add “asked back”"]))


def similar(
    ref: Annotated[str, typer.Argument(help="As FB-12.")] = "",
    text: Annotated[str, typer.Option(help="Words that nobody has sent yet, instead.")] = "",
    as_json: AsJson = False,
) -> None:
    """Voices that may say the same, with a score and the words they share. Machine-made: you merge."""
    client = connect()
    if bool(ref) == bool(text.strip()):
        raise CommandError("Name a voice, as FB-12, or give words by --text.")
    if ref:
        found = client.get(f"/products/{client.product}/feedback/{ref}/similar")
    else:
        found = client.post(f"/products/{client.product}/feedback-similar", {"text": text})
    lines = [
        line
        for one in found
        for line in (f"{one['ref']:9} {one['score']:.2f}  {one['reason']}", f"          {_short(one['text'])}")
    ]
    show(found, as_json, *(lines or ["Nobody said the same, as far as words tell."]))


def _short(text: str, width: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1] + "…"


def merge(
    refs: Refs,
    into: Annotated[str, typer.Option(help="The voice that stands for all of them, as FB-3.")],
    as_json: AsJson = False,
) -> None:
    """They say the same: one stands for all, each keeps its words and its person."""
    _triage(refs, "merge", into, as_json)


def part(refs: Refs, as_json: AsJson = False) -> None:
    """Take voices out of the one they were merged into, exactly as they were."""
    _triage(refs, "part", "", as_json)
