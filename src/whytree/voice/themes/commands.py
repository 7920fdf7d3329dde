"""``whytree themes FILE``: themes of a file right here, without a server.

``whytree themes`` and ``whytree theme ...``: of the product's voices.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from whytree.engines.texts.words import cut
from whytree.workspace.commands import AsJson
from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import bars, plain, say, show

if TYPE_CHECKING:
    from whytree.engines.themes.finding import Embed

LISTED = 40
Ref = Annotated[str, typer.Argument(help="The theme, as THM-3.")]


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    root.command("themes")(themes)
    group("theme").command("list")(list_themes)
    group("theme").command("find")(find)
    group("theme").command("show")(show_theme)
    group("theme").command("rename")(rename)
    group("theme").command("join")(join)
    group("theme").command("part")(part)
    group("theme").command("split")(split)
    group("theme").command("dismiss")(dismiss)
    group("theme").command("bring-back")(bring_back)
    group("theme").command("adopt")(adopt)
    group("theme").command("release")(release)


def themes(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="CSV, TSV, JSONL, JSON, XLSX or Parquet; also .gz and .zst. Left out: the themes of the product's voices."
        ),
    ] = None,
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
    """What the texts in a file are about: themes, as many as there are, and every row's theme. A file needs no server."""
    if file is None:
        if text or semantic or model or format:
            raise CommandError("Name the file, as in: whytree themes reviews.csv --text review")
        list_themes(as_json)
        return
    if model is not None and not semantic:
        raise CommandError("--model says which model --semantic uses. Say --semantic, too.")
    from whytree.errors import Invalid

    from .files import themes_of_file

    try:
        found = themes_of_file(file, column=text, format=format, embed=_embedding(model) if semantic else None)
    except Invalid as error:
        raise CommandError(error.message) from error
    if as_json:
        show(found.as_json(), True)
        return
    from .screen import print_themes

    print_themes(found, file.name)


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


# Of the product's voices


def list_themes(as_json: AsJson = False) -> None:
    """What the voices are about, the largest theme first."""
    client = connect()
    found = client.get(f"/products/{client.product}/themes")
    if as_json:
        show(found, True)
        return
    run = found["run"]
    if not found["themes"]:
        say(run["error"] if run and run["error"] else "No themes yet. Look for them: whytree theme find")
        return
    say(f"{sum(theme['size'] for theme in found['themes']):,} voices speak of {len(found['themes'])} themes", bold=True)
    for theme in found["themes"][:LISTED]:
        adopted = f"  {theme['opportunity']}" if theme["opportunity"] else ""
        say(f"{theme['ref']:8} {theme['size']:6,}  {plain(theme['title'])}{adopted}")
    if len(found["themes"]) > LISTED:
        say(f"{len(found['themes']) - LISTED} smaller ones more; --json has them all.")
    if found["alone"]:
        say(f"{found['alone']:,} voices are in no theme.")


def find(as_json: AsJson = False) -> None:
    """Look for themes among all voices, soon."""
    client = connect()
    run = client.post(f"/products/{client.product}/themes")
    show(run, as_json, "Themes are being looked for by the server. Then: whytree theme list")


def show_theme(
    ref: Ref,
    start: Annotated[int, typer.Option(help="How many of its most typical voices to pass over.")] = 0,
    as_json: AsJson = False,
) -> None:
    """One theme and its voices, the most typical first."""
    client = connect()
    theme = client.get(f"/products/{client.product}/themes/{ref}", start=start)
    if as_json:
        show(theme, True)
        return
    say(f"{theme['ref']} {plain(theme['title'])}: {theme['size']:,} voices", bold=True)
    if theme["opportunity"]:
        say(f"Adopted as {theme['opportunity']}.")
    say(f"Its words: {plain(', '.join(theme['words']))}")
    for voice in theme["voices"]:
        speaks = f"  [{voice['speaks_for']}]" if voice["speaks_for"] else ""
        say(f"{voice['ref']:8} {cut(plain(voice['text']), 160)}{speaks}")
    if theme["next"]:
        say(f"More: whytree theme show {theme['ref']} --start {theme['next']}")


def _do(ref: str, verb: str, body: dict[str, Any] | None = None) -> Any:
    client = connect()
    return client.post(f"/products/{client.product}/themes/{ref}/{verb}", body)


def rename(
    ref: Ref,
    name: Annotated[str, typer.Argument(help="Its name; empty gives it its own label back.")],
    as_json: AsJson = False,
) -> None:
    """Give a theme a name that stays."""
    theme = _do(ref, "rename", {"name": name})
    show(theme, as_json, f"{theme['ref']} is called “{theme['title']}”.")


def join(
    ref: Ref, into: Annotated[str, typer.Argument(help="The theme it is the same as.")], as_json: AsJson = False
) -> None:
    """Two themes are one: the first one's voices count for the second."""
    theme = _do(ref, "join", {"into": into})
    show(theme, as_json, f"{ref.upper()} counts for {theme['ref']} “{theme['title']}”: {theme['size']:,} voices.")


def part(ref: Ref, as_json: AsJson = False) -> None:
    """Take a theme out of the one it was joined to."""
    theme = _do(ref, "part")
    show(theme, as_json, f"{theme['ref']} is a theme of its own again.")


def split(
    ref: Ref,
    name: Annotated[str, typer.Option(help="What the voices share that get a theme of their own.")],
    item: Annotated[list[str], typer.Option(help="A voice, as FB-12. Repeatable.")],
    as_json: AsJson = False,
) -> None:
    """A theme of their own for some of a theme's voices."""
    theme = _do(ref, "split", {"name": name, "items": item})
    show(theme, as_json, f"{theme['ref']} “{theme['title']}” has {theme['size']:,} voices of {ref.upper()}.")


def dismiss(ref: Ref, as_json: AsJson = False) -> None:
    """Hide a theme, also when it is found again."""
    theme = _do(ref, "dismiss")
    show(theme, as_json, f"{theme['ref']} is dismissed.")


def bring_back(ref: Ref, as_json: AsJson = False) -> None:
    """Show a dismissed theme again."""
    theme = _do(ref, "bring-back")
    show(theme, as_json, f"{theme['ref']} is on the map again.")


def adopt(
    ref: Ref,
    title: Annotated[
        str, typer.Option(help="The problem, as a person would say it; its own title when left out.")
    ] = "",
    kind: Annotated[str, typer.Option(help="need, pain_point or desire.")] = "pain_point",
    under: Annotated[str, typer.Option(help="Outcome or opportunity it belongs under.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make an opportunity of a theme; its voices are linked as inferred. Again: link what came since."""
    made = _do(ref, "adopt", {"title": title, "kind": kind, "parent": under})
    show(
        made,
        as_json,
        f"{made['opportunity']} has {made['linked']:,} voices. Confirm those that fit on the theme's page.",
    )


def release(ref: Ref, as_json: AsJson = False) -> None:
    """Take adopting back: the opportunity keeps the links that were confirmed."""
    theme = _do(ref, "release")
    show(theme, as_json, f"{theme['ref']} is machine-made again.")
