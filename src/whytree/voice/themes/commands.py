"""``whytree themes``: of a file right here, without a server."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whytree.workspace.client import CommandError
from whytree.workspace.commands import AsJson
from whytree.workspace.printing import bars, show

if TYPE_CHECKING:
    from whytree.engines.themes.finding import Embed

    from .files import FileThemes


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    root.command("themes")(themes)


def themes(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSONL, JSON, XLSX or Parquet; also .gz and .zst.")],
    text: Annotated[str, typer.Option(help="Column that holds the texts; guessed when left out.")] = "",
    semantic: Annotated[
        bool,
        typer.Option("--semantic", help="Compare by meaning, with a small model on this machine: whytree[semantic]."),
    ] = False,
    model: Annotated[
        Path | None,
        typer.Option(help="With --semantic: folder of another model, with model.onnx and tokenizer.json."),
    ] = None,
    format: Annotated[
        str, typer.Option(help="csv, tsv, jsonl, json, parquet or xlsx, when it is not recognised.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """What the texts in a file are about: themes, as many as there are, and every row's theme. Needs no server."""
    from whytree.errors import Invalid

    from .files import themes_of_file

    if model is not None and not semantic:
        raise CommandError("--model says which model --semantic uses. Say --semantic, too.")
    try:
        found = themes_of_file(file, column=text, format=format, embed=_embedding(model) if semantic else None)
    except Invalid as error:
        raise CommandError(error.message) from error
    if as_json:
        show(found.as_json(), True)
    else:
        _print(found, file.name)


def _embedding(folder: Path | None) -> "Embed":
    """The model's `embed`, with a bar that fills."""
    from whytree.engines.themes.sentences import NoModel, load_model

    try:
        loaded = load_model(folder)
    except NoModel as error:
        raise CommandError(str(error)) from error

    def embed(texts):  # type: ignore[no-untyped-def]
        with bars("{task.description}", "{task.percentage:3.0f} %") as shown:
            task = shown.add_task("Reading what the texts mean", total=len(texts))
            return loaded.embed(texts, lambda done: shown.update(task, completed=done))

    return embed


def _print(answer: "FileThemes", name: str) -> None:
    from .screen import print_themes

    print_themes(answer, name)
