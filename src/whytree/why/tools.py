"""Why, over MCP: before lines are changed, before work starts. In a clone git is asked here, as by the command line."""

import re
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from whytree.workspace.terminal.client import CommandError
from whytree.workspace.terminal.tooling import Desk, Request, Told, tool

from .ahead.screen import ahead_lines
from .asking.screen import answer_lines, card_lines
from .commands import hit_line

_PLACE = re.compile(r"(?:::|#L|:L?\d).*$")


class WhyAsked(Request):
    ref: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=1000,
            description="A line (app/form.py:42 or :40-48), a function (app/form.py::SignUp.clean), a file, a folder, a commit, "
            "flag:KEY, an id (SOL-3, OPP-2, OUT-1, HYP-4, REV-1), #412 or a ticket's address.",
        ),
    ]
    at: Annotated[
        str, Meta(max_length=200, description="Lines as they stood at this commit, tag or branch; needs the clone.")
    ] = ""


@tool("Why is this here?")
def why(desk: Desk, asked: WhyAsked) -> Told:
    """Why a line, file, commit, flag or ticket is there, in five hops: commit, solution and its prediction, opportunity with
    users' own words, outcome, and what the change did. Ask before you change or remove code. It says how each hop was found
    (stated, or inferred by which rule), and "unexplained" where nobody said why."""
    if desk.clone is None:
        if asked.at:
            raise CommandError(
                "`at` needs the clone: start `whytree mcp` in it. Here lines are those of the last reading."
            )
        answer = desk.client.get(desk.path("why"), ref=asked.ref)
    else:
        from .asking.clone import ask, read_question

        _refuse_outside(asked.ref, desk.clone)
        answer = ask(desk.client, read_question(asked.ref, Path.cwd(), asked.at))
    page = [f"page: {desk.client.address(answer['page'])}"] if answer["page"] else []
    return Told([*answer_lines(answer), *page], answer)


class ImproveAsked(Request):
    place: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=1000,
            description="Lines (app/form.py:40-48), a file, a folder, flag:KEY, an id (SOL-3), #412, a page of the product (/signup), "
            'or a change in the clone: "diff" (not committed yet), "diff:main" (since this branch left main).',
        ),
    ]


@tool("What is open here?")
def improve(desk: Desk, asked: ImproveAsked) -> Told:
    """What is open at a place in the code or the product: who struggles there in their own words, guardrails near their margin,
    changes nobody measured, unanswered questions and challenges, constraints, untested assumptions, flags whose code could go, and
    the cheapest next test. Ask about your own diff before you hand it over: whom does it touch?"""
    if desk.clone is None:
        if asked.place.partition(":")[0].strip() == "diff":
            raise CommandError("A change is in the clone: start `whytree mcp` there.")
        answer = desk.client.get(desk.path("improve"), ref=asked.place)
    else:
        from .ahead.placing import look_ahead

        _refuse_outside(asked.place, desk.clone)
        answer = look_ahead(desk.client, asked.place, Path.cwd())
    return Told(ahead_lines(answer), answer)


class CardAsked(Request):
    subject: Annotated[
        str,
        Meta(
            min_length=1, max_length=1000, description='A ticket ("#412", ABC-12, its address), OPP-2, SOL-3, or words.'
        ),
    ]


@tool("What to know before starting")
def start_card(desk: Desk, asked: CardAsked) -> Told:
    """What to know before work on a ticket, a problem, a solution or an idea in words begins: vision, outcome, users in their own
    words, what was tried and what it did, constraints, open questions. Changes nothing."""
    card = desk.client.get(desk.path("start"), subject=asked.subject)
    questions = [f"open: {one['text']}" for one in card["questions"]]
    return Told([*card_lines(card), *questions], card)


class SearchAsked(Request):
    words: Annotated[str, Meta(min_length=1, max_length=400, description="What it is called, or says.")]


@tool("Find by words")
def search(desk: Desk, asked: SearchAsked) -> Told:
    """Find nodes of the tree, voices, flags, metrics, questions and commits by words: gives the ids that the other tools take."""
    hits = desk.client.get(desk.path("search"), q=asked.words)
    return Told([hit_line(hit) for hit in hits] or ["Nothing is found by these words. Try fewer."], {"hits": hits})


def _refuse_outside(typed: str, clone: Path) -> None:
    """What an agent was talked into asking stays within the clone: no other file of this machine is read."""
    place = Path(_PLACE.sub("", typed.strip()))
    try:
        found = (Path.cwd() / place).resolve()
        is_outside = found.exists() and not found.is_relative_to(clone)
    except (OSError, ValueError):
        return
    if is_outside:
        raise CommandError(f"Only what is in this clone can be asked about: {clone}")


TOOLS = (why, improve, start_card, search)
