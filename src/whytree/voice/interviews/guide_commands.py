"""What to ask: `whytree interview lint FILE` right here, `whytree interview guide` for the product's guides."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.commands import AsJson
from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import plain, say, show


def register(group: Callable[[str], typer.Typer]) -> None:
    group("interview").command("lint")(lint)
    group("interview").command("guide")(guide)


def lint(
    file: Annotated[Path, typer.Argument(help="Questions, one a line; # begins a heading.")], as_json: AsJson = False
) -> None:
    """Which questions bring guesses and opinions, and what to ask instead. Needs no server."""
    from dataclasses import asdict

    from whytree.engines.voices.questions import lint_guide

    questions = _read(file)
    found = [asdict(one) for one in lint_guide(questions)]
    if as_json:
        show(found, True)
    else:
        _tell(questions, found)


def guide(
    name: Annotated[str, typer.Argument(help="Its name; left out: all of them.")] = "",
    file: Annotated[Path | None, typer.Option(help="Keep these questions under this name.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take it out.")] = False,
    as_json: AsJson = False,
) -> None:
    """What is asked in talks: the guides, one of them, or keep one from a file."""
    from urllib.parse import quote

    client = connect()
    path = f"/products/{client.product}/interview-guides"
    if not name:
        found = client.get(path)
        lines = [f"{plain(one['name'])}  {_sum(one['findings'])}" for one in found]
        show(found, as_json, *(lines or ["No guide yet: whytree interview guide NAME --file questions.txt"]))
        return
    if remove:
        client.delete(f"{path}?name={quote(name, safe='')}")
        show({"removed": name}, as_json, f"“{plain(name)}” is out.")
        return
    if file is not None:
        one = client.put(path, {"name": name, "questions": _read(file)})
    else:
        found = [each for each in client.get(path) if each["name"].casefold() == name.casefold()]
        if not found:
            raise CommandError(
                f"There is no guide “{name}”. Keep one: whytree interview guide NAME --file questions.txt"
            )
        one = found[0]
    if as_json:
        show(one, True)
        return
    say(one["name"], bold=True)
    _tell(one["questions"], one["findings"])


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is no text in UTF-8. Save it as plain text.") from error


def _tell(questions: str, found: list[dict[str, Any]]) -> None:
    for number, line in enumerate(questions.splitlines(), start=1):
        say(f"{number:>4}  {plain(line)}")
        for one in found:
            if one["line"] == number:
                _tell_one(one)
    for one in found:
        if one["line"] == 0:
            _tell_one(one)
    say(_sum(found))


def _tell_one(one: dict[str, Any]) -> None:
    say(f"      ^ {one['rule']}: {one['why']}", colour="yellow")
    say(f"        Ask instead: {plain(one['instead'])}")


def _sum(found: list[dict[str, Any]]) -> str:
    if not found:
        return "Asks for stories."
    pointed = len({one["line"] for one in found if one["line"]})
    if not pointed:
        return "No question asks for something that happened."
    return "One question would bring opinions." if pointed == 1 else f"{pointed} questions would bring opinions."
