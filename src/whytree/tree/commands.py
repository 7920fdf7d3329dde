"""The tree from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.workspace.terminal.client import Client, CommandError, connect
from whytree.workspace.terminal.printing import console, plain, print_json, say, show

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Title = Annotated[str, typer.Argument(help="In one sentence.")]
Ref = Annotated[str, typer.Argument(help="A node's id, as OPP-2.")]
Under = Annotated[str, typer.Option("--under", help="Id of the node it stands under.")]
More = Annotated[str, typer.Option("--description", help="What else there is to say.")]

_COLOURS = {"outcome": "green", "opportunity": "magenta", "solution": "blue"}


def register(root: typer.Typer, group: Callable[[str], typer.Typer]) -> None:
    root.command("tree")(show_tree)
    group("move").command("node")(move)
    root.command("close")(close)
    root.command("reopen")(reopen)
    group("outcome").command("add")(add_outcome)
    group("opportunity").command("add")(add_opportunity)
    group("solution").command("add")(add_solution)
    group("solution").command("state")(set_state)
    group("draft").command("list")(list_drafts)
    group("draft").command("confirm")(confirm_drafts)
    group("draft").command("edit")(edit_draft)
    group("draft").command("discard")(discard_drafts)
    group("hypothesis").command("add")(add_hypothesis)
    group("note").command("add")(add_note)
    group("note").command("answer")(answer_note)
    group("note").command("list")(open_notes)
    group("evidence").command("add")(add_evidence)
    group("import").command("tree")(import_tree)
    group("export").command("tree")(export_tree)


def show_tree(
    closed: Annotated[bool, typer.Option("--closed", help="Also what is closed.")] = False,
    advice: Annotated[bool, typer.Option("--advice", help="Also what the tree is missing.")] = False,
    since: Annotated[str, typer.Option(help="Only what is otherwise than on this day, as 2026-05-01.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print the tree: outcomes, opportunities, solutions and what hangs below."""
    client = connect()
    if since:
        diff = client.get(_path(client, "tree/diff"), since=since)
        show(diff, as_json, *diff_lines(diff))
        return
    tree = client.get(_path(client, "tree"))
    if as_json:
        print_json(tree)
        return
    _draw(tree, closed=closed, advice=advice)
    if drafts := client.get(_path(client, "drafts")):
        _draw_drafts(drafts)


def _draw(tree: dict[str, Any], *, closed: bool, advice: bool) -> None:
    from rich.text import Text
    from rich.tree import Tree

    drawn = Tree(Text(tree["vision"] or tree["product"], style="bold"), guide_style="dim")
    places = {None: drawn}
    for node in tree["nodes"]:
        if node["closed"] and not closed:
            continue
        above = places.get(node["parent"])
        if above is None:  # its parent is closed and not shown
            continue
        places[node["ref"]] = branch = above.add(_line(node))
        for one in node["advice"] if advice else ():
            branch.add(Text(one["text"], style="yellow"))
    console().print(drawn)
    if not tree["nodes"]:
        say('Nothing here yet. Say what should change for people: whytree outcome add "…"')


_SAID = {
    "came": "new {now}",
    "state": "{was} → {now}",
    "evidence": "evidence {was} → {now}",
    "heard": "evidence since: {now}",
    "locked": "the prediction is locked",
    "due": "{now} is due: what came of it?",
    "decided": "{now}: {words}",
    "number": "{was} → {now}",
    "verdict": "verdict {now}: {words}",
    "note": "{now}: {words}",
    "answer": "answered: {was} → {words}",
    "closed": "closed: {words}",
}


def diff_lines(diff: dict[str, Any]) -> list[str]:
    """What is otherwise, a node a paragraph."""
    lines = []
    for node in diff["nodes"]:
        lines.append(f"{node['ref']} {plain(node['title'])}")
        for one in node["differences"]:
            facts = {name: plain(one[name]) for name in ("was", "now", "words")}
            lines.append("  " + _SAID[one["what"]].format(**facts | {"was": facts["was"] or "none"}).strip())
    if diff["left_out"]:
        lines.append(f"and {diff['left_out']:,} more nodes")
    return lines or [f"The tree says what it said on {diff['since'][:10]}."]


def _line(node: dict[str, Any]) -> Any:
    from rich.text import Text

    line = Text()
    line.append(f"{node['ref']} ", style=f"dim {_COLOURS.get(node['kind'], 'default')}")
    line.append(node["title"], style="strike dim" if node["closed"] else "")
    said = [node["standing"], node["value"], node["change"], *node["chips"]]
    if node["kind"] == "opportunity":
        said.append(f"{node['people']} heard, evidence {node['evidence']}")
    if node["open_notes"]:
        said.append(f"{node['open_notes']} open")
    line.append("".join(f"  · {word}" for word in said if word), style="dim")
    return line


def add_outcome(
    title: Title,
    metric: Annotated[str, typer.Option(help="Key of the metric that shows it.")] = "",
    baseline: Annotated[float | None, typer.Option(help="Where it stands today.")] = None,
    target: Annotated[float | None, typer.Option(help="Where it should be.")] = None,
    due: Annotated[str, typer.Option(help="By which day, as 2026-09-30.")] = "",
    kind: Annotated[
        str, typer.Option(help="product_outcome, business_outcome or traction_metric.")
    ] = "product_outcome",
    under: Under = "",
    description: More = "",
    as_json: AsJson = False,
) -> None:
    """Add an outcome: a metric with a baseline and a target."""
    body = {
        "title": title,
        "description": description,
        "outcome_type": kind,
        "metric_key": metric,
        "parent": under or None,
    }
    _add("outcomes", body | {"baseline": baseline, "target": target, "due": due or None}, as_json)


def add_opportunity(
    title: Annotated[str, typer.Argument(help="As the person who has it would say it.")],
    under: Under = "",
    kind: Annotated[str, typer.Option(help="need, pain_point or desire.")] = "pain_point",
    segment: Annotated[str, typer.Option(help="Whose it is.")] = "",
    description: More = "",
    as_json: AsJson = False,
) -> None:
    """Add an opportunity: a need, pain point or desire."""
    body = {"title": title, "description": description, "kind": kind, "segment": segment, "parent": under or None}
    _add("opportunities", body, as_json)


def add_solution(
    title: Title,
    under: Under = "",
    removal: Annotated[bool, typer.Option("--removal", help="It takes something away.")] = False,
    description: More = "",
    as_json: AsJson = False,
) -> None:
    """Add a solution: one way to address an opportunity."""
    body = {"title": title, "description": description, "is_removal": removal, "parent": under or None}
    _add("solutions", body, as_json)


def add_hypothesis(
    solution: Annotated[str, typer.Argument(help="The solution it is about, as SOL-3.")],
    change: Annotated[str, typer.Option(help="We believe that this ...")],
    metric: Annotated[str, typer.Option(help="... shown by this metric's key ...")],
    low: Annotated[float, typer.Option(help="... moves by at least this much, nine times of ten ...")],
    likely: Annotated[float, typer.Option(help="... most likely by this much ...")],
    high: Annotated[float, typer.Option(help="... and by at most this much, nine times of ten.")],
    who: Annotated[str, typer.Option(help="For whom.")] = "",
    behaviour: Annotated[str, typer.Option(help="What they will do differently.")] = "",
    unit: Annotated[
        str, typer.Option(help='"pp" for points, "%" for percent of the value, "" for the metric\'s own.')
    ] = "pp",
    days: Annotated[int, typer.Option(help="Within how many days.")] = 28,
    as_json: AsJson = False,
) -> None:
    """Predict what a solution will change. It locks when people first see the change."""
    body = {"parent": solution, "change": change, "who": who, "behaviour": behaviour, "metric_key": metric}
    forecast = {"forecast_low": low, "forecast_likely": likely, "forecast_high": high, "forecast_unit": unit}
    _add("hypotheses", body | forecast | {"horizon_days": days}, as_json)


def set_state(
    solution: Annotated[str, typer.Argument(help="As SOL-3.")],
    state: Annotated[
        str, typer.Argument(help="idea, testing, building, live, measured, kept, rolled_back or dropped.")
    ],
    reason: Annotated[str, typer.Option(help="Why; needed to drop it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Move a solution to its next state."""
    client = connect()
    _say(client.post(_path(client, f"solutions/{solution}/state"), {"state": state, "reason": reason}), as_json)


def move(
    ref: Ref,
    under: Annotated[str, typer.Option("--under", help="Id of its new parent; left out: stands alone.")] = "",
    as_json: AsJson = False,
) -> None:
    """Hang a node under another one."""
    client = connect()
    _say(client.post(_path(client, f"nodes/{ref}/move"), {"parent": under or None}), as_json)


def close(
    ref: Ref,
    reason: Annotated[str, typer.Option(help="Why, so that somebody understands it in a year.")],
    all_below: Annotated[bool, typer.Option("--all-below", help="Also close what is open below it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a node out of play, with a reason."""
    client = connect()
    _say(client.post(_path(client, f"nodes/{ref}/close"), {"reason": reason, "with_children": all_below}), as_json)


def reopen(ref: Ref, as_json: AsJson = False) -> None:
    """Bring a closed node back into play."""
    client = connect()
    _say(client.post(_path(client, f"nodes/{ref}/reopen")), as_json)


def add_note(
    ref: Ref,
    text: Annotated[str, typer.Argument(help="What you want to say.")],
    kind: Annotated[str, typer.Option(help="comment, question, challenge, constraint or decision.")] = "comment",
    cost: Annotated[str, typer.Option(help="Of a constraint: what it costs, in plain words.")] = "",
    alternative: Annotated[str, typer.Option(help="Of a constraint: what could be done instead.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say something about a node. Questions and challenges wait for an answer."""
    client = connect()
    body = {"kind": kind, "text": text, "cost": cost, "alternative": alternative}
    note = client.post(_path(client, f"nodes/{ref}/notes"), body)
    show(note, as_json, f"{note['kind'].capitalize()} {note['id']} on {ref}: {note['text']}")


def answer_note(
    note: Annotated[int, typer.Argument(help="The note's number, as `whytree note list` shows it.")],
    answer: Annotated[str, typer.Argument(help="The answer.")],
    as_json: AsJson = False,
) -> None:
    """Answer a question or a challenge."""
    client = connect()
    answered = client.post(_path(client, f"notes/{note}/answer"), {"answer": answer})
    show(answered, as_json, f"Answered: {answered['text']}")


def open_notes(as_json: AsJson = False) -> None:
    """Questions and challenges that wait for an answer."""
    client = connect()
    notes = client.get(_path(client, "notes/open"))
    lines = [
        f"{note['id']:>5}  {note['ref']:8} {note['kind']:10} {note['text']}  ({note['author_name']})" for note in notes
    ]
    show(notes, as_json, *(lines or ["Nothing is open."]))


def add_evidence(
    ref: Ref,
    statement: Annotated[str, typer.Argument(help="What it says, in your words.")] = "",
    kind: Annotated[
        str, typer.Option("--type", help="Rung of the ladder: anecdotal, user_evidence, test_results ...")
    ] = "anecdotal",
    stance: Annotated[str, typer.Option(help="supports, contradicts or context.")] = "supports",
    quote: Annotated[str, typer.Option(help="A person's own words.")] = "",
    person: Annotated[str, typer.Option(help="Who said it: an id that is the same for the same person.")] = "",
    url: Annotated[str, typer.Option(help="Where it can be read.")] = "",
    said: Annotated[str, typer.Option(help="When it was said, as 2026-03-02.")] = "",
    importance: Annotated[
        int, typer.Option(help="0 not important, 1 nice to have, 2 important, 3 critical.", min=0, max=3)
    ] = 1,
    as_json: AsJson = False,
) -> None:
    """Hang evidence on a node. The same address again replaces what it said."""
    client = connect()
    body = {"evidence_type": kind, "stance": stance, "statement": statement, "quote": quote, "person_key": person}
    source = {"source_kind": "url", "source_id": url} if url else {"source_kind": "note"}
    said_at = f"{said}T00:00:00Z" if len(said) == len("2026-03-02") else said or None
    link = client.post(
        _path(client, f"nodes/{ref}/evidence"), body | source | {"importance": importance, "said_at": said_at}
    )
    strength = client.get(_path(client, f"nodes/{ref}/confidence"))
    show(link, as_json, f"Linked to {ref}. Its evidence is now {strength['label']} ({strength['value']:.2g} of 10).")


def import_tree(
    file: Annotated[Path, typer.Argument(help="A tree file, as `whytree export tree` writes it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring in a tree by id: all of it or nothing. Importing the same file again changes nothing."""
    document = _read(file)
    client = connect()
    report = client.post(_path(client, f"tree/import?preview={str(dry_run).lower()}"), document)
    show(report, as_json, *_told(report))


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 text. Save it as UTF-8 and try again.") from error
    except json.JSONDecodeError as error:
        raise CommandError(f"{file} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from error


def _told(report: dict[str, Any]) -> list[str]:
    would = "Would be new" if report["preview"] else "New"
    new = f"{len(report['created'])} nodes, {report['evidence']} pieces of evidence, {report['notes']} notes, {report['tickets']} tickets"
    lines = [
        f"{would}: {new}.",
        f"Changed: {', '.join(report['changed'])}." if report["changed"] else "",
        f"As before: {len(report['unchanged'])} nodes." if report["unchanged"] else "",
        "Nothing was written. Leave --dry-run out to do it." if report["preview"] else "",
    ]
    return [line for line in lines if line]


def export_tree(
    file: Annotated[Path | None, typer.Argument(help="Where to write; left out: to the screen.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole tree to a file that can be read, kept in git and imported again."""
    client = connect()
    document = client.get(_path(client, "tree/export"))
    if file is None:
        print_json(document)
        return
    file.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    show({"file": str(file), "nodes": len(document["nodes"])}, as_json, f"{len(document['nodes'])} nodes in {file}.")


def _path(client: Client, rest: str) -> str:
    return f"/products/{client.product}/{rest}"


def _add(plural: str, body: dict[str, Any], as_json: bool) -> None:
    client = connect()
    _say(client.post(_path(client, plural), body), as_json)


def _say(node: dict[str, Any], as_json: bool) -> None:
    place = f" under {node['parent']}" if node["parent"] else ""
    standing = f" · {node['standing']}" if node["standing"] else ""
    known = [f"  {sentence}" for sentence in node.get("beside", ())]
    show(node, as_json, f"{node['ref']} {node['title']}{place}{standing}", *known)


# Drafts -----------------------------------------------------------------------------------------------

DraftIds = Annotated[list[int], typer.Argument(help="Numbers of `whytree draft list`.")]


def list_drafts(as_json: AsJson = False) -> None:
    """Drafts that wait for a yes or no."""
    client = connect()
    drafts = client.get(_path(client, "drafts"))
    if as_json:
        print_json(drafts)
        return
    if not drafts:
        say("No draft waits. They come from reading a clone and its tickets: whytree init")
        return
    _draw_drafts(drafts)
    say("\nYes  whytree draft confirm N\nNo   whytree draft discard N\nIn better words  whytree draft edit N “…”")


def _draw_drafts(drafts: list[dict[str, Any]]) -> None:
    from rich.text import Text
    from rich.tree import Tree

    drawn = Tree(Text("Drafts, inferred; nobody has stated them", style="yellow"), guide_style="dim")
    places: dict[int | None, Any] = {None: drawn}
    for draft in drafts:
        line = Text(f"{draft['id']:>3} ", style="dim")
        line.append(plain(draft["title"]), style="default")
        line.append(f"\n    {draft['kind']}", style=_COLOURS.get(draft["kind"], "default"))
        line.append(f" · {draft['rule']} ({draft['score']:g})", style="yellow")
        line.append(f" · {plain(draft['because'])}", style="dim")
        places[draft["id"]] = places.get(draft["parent"], drawn).add(line)
    console().print(drawn)


def confirm_drafts(ids: DraftIds, as_json: AsJson = False) -> None:
    """Yes: make these drafts nodes of the tree."""
    _decide(ids, "confirm", as_json)


def discard_drafts(ids: DraftIds, as_json: AsJson = False) -> None:
    """No: drop these drafts for good."""
    _decide(ids, "discard", as_json)


def _decide(ids: list[int], verb: str, as_json: bool) -> None:
    client = connect()
    done = [client.post(f"{_path(client, 'drafts')}/{one}/{verb}") for one in dict.fromkeys(ids)]
    if as_json:
        print_json(done)
        return
    for one in done:
        say(f"{one['node'] or 'Dropped:'} {one['title']}")


def edit_draft(
    number: Annotated[int, typer.Argument(help="Its number in `whytree draft list`.")],
    title: Title,
    as_json: AsJson = False,
) -> None:
    """Put a draft into better words."""
    client = connect()
    done = client.patch(f"{_path(client, 'drafts')}/{number}", {"title": title})
    show(done, as_json, f"{done['id']} {done['title']}")
