"""The tree over MCP: what speaks for a node, and what an agent may add. Nothing can be decided, locked, closed or deleted here."""

from typing import Annotated, Any, Literal

from msgspec import Meta

from whytree.engines.texts.words import cut
from whytree.workspace.terminal.client import CommandError
from whytree.workspace.terminal.printing import quoted
from whytree.workspace.terminal.tooling import AGENT, Desk, Request, Told, tool

from .commands import diff_lines

Ref = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,4}-[1-9][0-9]{0,8}$", description="A node's id, as OPP-2.")]
Words = Annotated[str, Meta(min_length=1, max_length=2000)]

MOST_SHOWN = 30
MOST_WORDS = 500


class TreeAsked(Request):
    closed: Annotated[bool, Meta(description="Also what is closed.")] = False


@tool("The tree")
def load_tree(desk: Desk, asked: TreeAsked) -> Told:
    """The whole tree as an outline: outcomes with their live value, the problems below them with how many people were heard, and
    what was tried. Gives the ids that the other tools take, and what the tree is missing."""
    tree = desk.client.get(desk.path("tree"))
    nodes = [node for node in tree["nodes"] if asked.closed or not node["closed"]]
    lines = [tree["vision"] or tree["product"], *map(_outline, nodes)]
    lines += [f"missing: {one['ref']} {one['text']}" for node in nodes for one in node["advice"]]
    return Told(lines if nodes else [*lines, "Nothing stands here yet."], {**tree, "nodes": nodes})


def _outline(node: dict[str, Any]) -> str:
    said = [node["standing"], node["value"], node["change"], *node["chips"]]
    if node["kind"] == "opportunity":
        said.append(f"{node['people']} heard, evidence {node['evidence']}")
    if node["open_notes"]:
        said.append(f"{node['open_notes']} open")
    if node["closed"]:
        said.append("closed")
    indent: str = "  " * node["depth"]
    return indent + " · ".join([f"{node['ref']} {node['title']}", *filter(None, said)])


class DiffAsked(Request):
    since: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$", description="The day it is compared with, as 2026-05-01.")]


@tool("What do we believe otherwise?")
def tree_diff(desk: Desk, asked: DiffAsked) -> Told:
    """What the tree says today and did not when that day began: nodes that came or were closed, solutions in another state, numbers
    that moved, evidence that grew or aged, predictions that locked, fell due or came out, verdicts, challenges and their answers. Ask
    when you come back to a product."""
    diff = desk.client.get(desk.path("tree/diff"), since=asked.since)
    return Told(diff_lines(diff), diff)


class EvidenceAsked(Request):
    node: Ref


@tool("What speaks for and against it?")
def evidence_of(desk: Desk, asked: EvidenceAsked) -> Told:
    """What speaks for and against a node of the tree: each piece with its rung, its source and whether it was stated or inferred;
    how strong all of it is, derived and never typed, and what would raise it most; and what people asked, challenged or ruled out
    there."""
    node = desk.client.get(desk.path(f"nodes/{asked.node}"))
    strength = desk.client.get(desk.path(f"nodes/{asked.node}/confidence"))
    evidence = desk.client.get(desk.path(f"nodes/{asked.node}/evidence"))
    notes = desk.client.get(desk.path(f"nodes/{asked.node}/notes"))
    lines = [
        f"{node['ref']} {node['title']}  {node['standing']}",
        *_strength(strength),
        *map(_piece, evidence[:MOST_SHOWN]),
    ]
    if len(evidence) > MOST_SHOWN:
        lines.append(f"and {len(evidence) - MOST_SHOWN:,} more pieces")
    lines += [_note(note) for note in notes[-MOST_SHOWN:]]
    return Told(lines, {"node": node, "confidence": strength, "evidence": evidence, "notes": notes})


def _strength(strength: dict[str, Any]) -> list[str]:
    against = f", {strength['contradiction']:.2g} against" if strength["contradiction"] else ""
    lines = [
        f"evidence: {strength['label']} ({strength['value']:.2g} of 10: {strength['support']:.2g} for it{against})"
    ]
    if strength["override"]:
        lines.append(f"somebody calls it {strength['override']}, because {strength['override_reason']}")
    return [*lines, *([f"raises it most: {strength['raise_most']}"] if strength["raise_most"] else [])]


def _piece(one: dict[str, Any]) -> str:
    words = quoted(one["quote"], MOST_WORDS) if one["quote"] else cut(one["statement"], MOST_WORDS)
    where = one["source_id"] if one["source_kind"] == "url" else f"{one['source_kind']} {one['source_id']}".strip()
    found = f"inferred: {one['rule']}" if one["provenance"] == "inferred" else "stated"
    facts = [one["evidence_type"], (one["said_at"] or "")[:10], where]
    return f"{one['stance']}: {words}  {' · '.join(filter(None, facts))}  [{found}]"


def _note(note: dict[str, Any]) -> str:
    asks = note["kind"] in {"question", "challenge"}
    stands = f" → {note['answer']}" if note["answer"] else " (open)" if asks else ""
    more = [
        f"costs {note['cost']}" if note["cost"] else "",
        f"instead: {note['alternative']}" if note["alternative"] else "",
    ]
    return " · ".join(
        filter(None, [f"{note['kind']} {note['id']}: {note['text']}{stands}", *more, note["author_name"]])
    )


# The lower half of the ladder: what users, tests, a market and a launch say has to be earned, and is linked where it is kept.
Rung = Literal["anecdotal", "estimates_and_plans", "others_opinion", "thematic_support"]


class EvidenceAdded(Request):
    node: Ref
    statement: Annotated[
        str, Meta(min_length=1, max_length=2000, description="What it says, in your words. Quote nobody.")
    ]
    url: Annotated[str, Meta(pattern=r"^https?://", max_length=1000, description="Where a person can read it.")]
    evidence_type: Annotated[
        Rung, Meta(description="Its rung; what users said, tests and launches are linked where they are kept.")
    ]
    stance: Annotated[Literal["supports", "contradicts", "context"], Meta(description="What it says of the node.")]
    said_on: Annotated[
        str, Meta(pattern=r"^(\d{4}-\d\d-\d\d)?$", description="The day it was said or measured, as 2026-03-02.")
    ] = ""
    importance: Annotated[
        int, Meta(ge=0, le=3, description="0 not important, 1 nice to have, 2 important, 3 critical.")
    ] = 1


@tool("Add evidence", writes=True)
def link_evidence(desk: Desk, asked: EvidenceAdded) -> Told:
    """Hang something that can be read at an address on a node, for or against it. It is marked as inferred by an agent until a person
    states it. The same address again replaces what an agent said of it, never what a person said."""
    path = desk.path(f"nodes/{asked.node}/evidence")
    source = {"source_kind": "url", "source_id": asked.url}
    for one in desk.client.get(path):
        if one["source_id"] == asked.url and one["rule"] != AGENT:
            raise CommandError(
                f"This address is linked to {asked.node} already, by no agent. What was said of it stays."
            )
    said_at = f"{asked.said_on}T00:00:00Z" if asked.said_on else None
    body = {
        "statement": asked.statement,
        "evidence_type": asked.evidence_type,
        "stance": asked.stance,
        "said_at": said_at,
    }
    how = {"provenance": "inferred", "rule": AGENT, "importance": asked.importance}
    link = desk.client.post(path, body | source | how)
    strength = desk.client.get(desk.path(f"nodes/{asked.node}/confidence"))
    return Told(
        [f"Linked to {asked.node}, as inferred: {AGENT}.", *_strength(strength)],
        {"evidence": link, "confidence": strength},
    )


class NoteAdded(Request):
    node: Ref
    kind: Annotated[
        Literal["comment", "question", "challenge", "constraint"],
        Meta(
            description="A challenge says what speaks against the node and waits for an answer, as a question does; "
            "a constraint says what it costs."
        ),
    ]
    text: Annotated[str, Meta(min_length=1, max_length=2000, description="What is to be said, in plain words.")]
    cost: Annotated[str, Meta(max_length=500, description="Of a constraint: what it costs.")] = ""
    alternative: Annotated[str, Meta(max_length=500, description="Of a constraint: what could be done instead.")] = ""


@tool("Ask, challenge, or name a constraint", writes=True)
def add_note(desk: Desk, asked: NoteAdded) -> Told:
    """Say something about a node where everybody sees it: a question or a challenge (it must be answered), a constraint found in
    the code with its cost and an alternative, or a comment."""
    path = desk.path(f"nodes/{asked.node}/notes")
    if said := [one for one in desk.client.get(path) if (one["kind"], one["text"]) == (asked.kind, asked.text.strip())]:
        return Told([f"This stands on {asked.node} already, by {said[0]['author_name']}."], {"note": said[0]})
    body = {"kind": asked.kind, "text": asked.text, "cost": asked.cost, "alternative": asked.alternative}
    note = desk.client.post(path, body)
    return Told(
        [f"{note['kind'].capitalize()} {note['id']} stands on {asked.node}, by {note['author_name']}."], {"note": note}
    )


class Predicted(Request):
    solution: Annotated[
        str, Meta(pattern=r"^(?i:SOL)-[1-9][0-9]{0,8}$", description="The solution it is about, as SOL-3.")
    ]
    change: Annotated[str, Meta(min_length=1, max_length=500, description="We believe that this ...")]
    metric: Annotated[str, Meta(min_length=1, max_length=100, description="... shown by the metric with this key ...")]
    low: Annotated[float, Meta(description="... moves by at least this much, nine times of ten ...")]
    likely: Annotated[float, Meta(description="... most likely by this much ...")]
    high: Annotated[float, Meta(description="... and by at most this much, nine times of ten.")]
    who: Annotated[str, Meta(max_length=200, description="For whom.")] = ""
    behaviour: Annotated[str, Meta(max_length=500, description="What they will do differently.")] = ""
    unit: Annotated[
        Literal["pp", "%", ""], Meta(description='"pp" points, "%" percent of the value, "" the metric\'s own unit.')
    ] = "pp"
    days: Annotated[int, Meta(ge=1, le=365, description="Within how many days.")] = 28


@tool("Predict what a solution will change", writes=True)
def create_hypothesis(desk: Desk, asked: Predicted) -> Told:
    """Write down what a solution is believed to do, as a range, before anybody is exposed to it; ask list_past_effects first. It locks
    by itself when its flag first reaches people; until then people may change it. Whoever has seen the result predicts nothing."""
    forecast = {
        "forecast_low": asked.low,
        "forecast_likely": asked.likely,
        "forecast_high": asked.high,
        "forecast_unit": asked.unit,
    }
    body = {"parent": asked.solution, "change": asked.change, "who": asked.who, "behaviour": asked.behaviour}
    made = desk.client.post(
        desk.path("hypotheses"), body | forecast | {"metric_key": asked.metric, "horizon_days": asked.days}
    )
    return Told([f"{made['ref']} {made['title']} under {made['parent']}", *made["beside"]], made)


TOOLS = (load_tree, tree_diff, evidence_of, link_evidence, add_note, create_hypothesis)
