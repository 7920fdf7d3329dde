"""Surveys from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.engines.spreadsheet import as_csv
from whytree.workspace.commands import AsJson
from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import plain, pour, show

# What `show --json` tells beside what a survey may say: one that was shown can be made again, here or elsewhere.
_SHOWN_ONLY = {
    *("ref", "state", "created_at", "started_at", "stopped_at", "stopped_why"),
    *("asked", "answered", "answered_when_asked", "came", "dismissed", "link"),
}
Ref = Annotated[str, typer.Argument(help="The survey, as SUR-3.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    survey = group("survey")
    survey.command("list")(list_surveys)
    survey.command("create")(create_survey)
    survey.command("show")(show_survey)
    survey.command("change")(change_survey)
    survey.command("start")(start_survey)
    survey.command("stop")(stop_survey)
    survey.command("copy")(copy_survey)
    survey.command("metric")(make_metric)
    survey.command("invite")(invite)
    survey.command("results")(results)
    survey.command("export")(export)


def _path(ref: str = "", verb: str = "") -> str:
    parts = ["/products", connect().product, "surveys", *([ref] if ref else []), *([verb] if verb else [])]
    return "/".join(parts)


def list_surveys(as_json: AsJson = False) -> None:
    """All surveys, the newest first."""
    found = connect().get(_path())
    lines = [f"{one['ref']:8} {one['state']:8} {_reached(one):28} {plain(one['title'])}" for one in found]
    show(found, as_json, *(lines or ["No surveys yet. whytree survey create --template nps"]))


def _reached(one: dict[str, Any]) -> str:
    if not one["asked"]:
        return f"{one['answered']:,} answered"
    return f"{one['answered_when_asked']:,} of {one['asked']:,} asked, {one['answered']:,} answered"


def create_survey(
    file: Annotated[Path | None, typer.Argument(help="JSON with title, questions and settings.")] = None,
    template: Annotated[str, typer.Option(help="nps, csat, ces, seq or one_question.")] = "",
    title: Annotated[str, typer.Option(help="What those who are asked read above it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a draft from a template or a file."""
    client = connect()
    if (file is None) == (not template):
        raise CommandError("Name a file or a template, one of the two.")
    if file is not None:
        body = {name: value for name, value in _read(file).items() if name not in _SHOWN_ONLY}
    else:
        templates = client.get("/survey-templates")
        if template not in templates:
            raise CommandError(f"There is no template {template}; there are {', '.join(templates)}.")
        body = templates[template]
    made = client.post(_path(), {**body, **({"title": title} if title else {})})
    show(
        made,
        as_json,
        f"{made['ref']} is a draft: {plain(made['title'])}",
        f"Start it: whytree survey start {made['ref']}",
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(said, dict):
        raise CommandError(f'{file} holds no object, as {{"title": "...", "questions": [...]}}.')
    return said


def show_survey(ref: Ref, as_json: AsJson = False) -> None:
    """Its questions, whom it is put to and the link."""
    found = connect().get(_path(ref))
    show(found, as_json, *_lines(found))


def _lines(one: dict[str, Any]) -> list[str]:
    lines = [f"{one['ref']}  {one['state']}  {plain(one['title'])}", f"  {_reached(one)}"]
    lines += [f"  {question['id']:4} {question['kind']:7} {plain(question['text'])}" for question in one["questions"]]
    return [*lines, f"  {connect().address(one['link'])}"]


def change_survey(
    ref: Ref,
    file: Annotated[Path, typer.Argument(help="JSON with what is to change: title, questions, share, stop_at ...")],
    as_json: AsJson = False,
) -> None:
    """Change what a file says; the rest stays."""
    changed = connect().patch(_path(ref), _read(file))
    show(changed, as_json, *_lines(changed))


def start_survey(ref: Ref, as_json: AsJson = False) -> None:
    """From now on it can be answered."""
    client = connect()
    started = client.post(_path(ref, "start"))
    show(started, as_json, f"{started['ref']} is running: {client.address(started['link'])}")


def stop_survey(ref: Ref, as_json: AsJson = False) -> None:
    """Nobody is asked any more; answers stay."""
    stopped = connect().post(_path(ref, "stop"))
    show(stopped, as_json, f"{stopped['ref']} is stopped with {stopped['answered']:,} answers.")


def copy_survey(ref: Ref, as_json: AsJson = False) -> None:
    """The same as a new draft."""
    made = connect().post(_path(ref, "copy"))
    show(made, as_json, f"{made['ref']} is a draft: {plain(made['title'])}")


def make_metric(ref: Ref, as_json: AsJson = False) -> None:
    """Make the share of favourable answers a metric, for an outcome or a guardrail."""
    made = connect().post(_path(ref, "metric"))
    show(made, as_json, f"{made['key']} is a metric: {plain(made['name'])}")


def invite(
    ref: Ref,
    person: Annotated[str, typer.Argument(help="The id under which their events come in.")],
    as_json: AsJson = False,
) -> None:
    """Print a link for one person alone; refused for whoever was asked anything lately."""
    client = connect()
    made = client.post(_path(ref, "invite"), {"person": person})
    show(made, as_json, client.address(made["link"]))


def results(
    ref: Ref,
    by: Annotated[str, typer.Option(help="A flag: its variants side by side.")] = "",
    as_json: AsJson = False,
) -> None:
    """What the answers come to, with intervals and what they do not say."""
    found = connect().get(_path(ref, "results"), by=by)
    were = "was" if found["asked"] == 1 else "were"
    lines = [f"{found['answered']:,} answered, {found['asked']:,} {were} asked", *found["warnings"]]
    for one in found["questions"]:
        lines += ["", f"{one['id']}  {plain(one['text'])}  (n = {one['n']:,})", *(_figures(one) if one["n"] else [])]
        for arm in one["arms"]:
            lines += [
                f"  {plain(arm['variant'])}: {arm['answered']:,} answered",
                *(f"  {line}" for line in _figures(arm)),
            ]
    show(found, as_json, *lines)


def _figures(found: dict[str, Any]) -> list[str]:
    lines = []
    head = found["headline"]
    if head is not None:
        lines.append(f"  {head['name']}: {_interval(head)}")
    for row in found["answers"]:
        place = row["place"]["value"] if row["place"] else None
        mean = f"  mean place {place:.1f}" if place is not None else ""
        lines.append(f"  {row['people']:>6,}  {_interval(row, ' %'):26} {plain(row['answer'])}{mean}")
    return lines


def _interval(found: dict[str, Any], unit: str = "") -> str:
    if found["value"] is None:
        return str(found["reason"])
    return f"{100 * found['value']:.0f}{unit} ({100 * found['low']:.0f} to {100 * found['high']:.0f})"


def export(
    ref: Ref,
    to: Annotated[Path | None, typer.Option(help="Write here instead of printing.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every response as CSV, or with --json as JSON. The columns are the same every time."""
    rows = connect().get(_path(ref, "responses"))
    if as_json:
        text = json.dumps(rows["rows"], ensure_ascii=False, indent=1) + "\n"
    else:
        text = as_csv(rows["columns"], (row.values() for row in rows["rows"]))
    if to is None:
        pour(text)
        return
    try:
        to.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"{to} cannot be written: {error}") from error
    show({"file": str(to)}, False, f"Written to {to}.")
