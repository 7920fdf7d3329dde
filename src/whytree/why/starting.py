"""`whytree start` on the command line's side: the screen, the questions, the branch and its trailer."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from whytree.code.git import Clone, open_clone
from whytree.engines.links_tickets import parse_ticket, tracker_of_remote
from whytree.workspace.client import Client
from whytree.workspace.printing import agrees, ask, print_json, say

from .branches import branch_for, set_trailer, switch_to
from .hooks import Hooks, find_hooks, install, refuse

BY_HAND = "Write the line “{trailer}” into your messages, or put the hook there: whytree start {ref} --yes"


def begin(
    client: Client, words: Sequence[str], given: Mapping[str, str], *, with_branch: bool, yes: bool, as_json: bool
) -> None:
    """Show what is known, ask what is not, make the solution and the branch."""
    clone = open_clone(Path.cwd()) if with_branch else None
    asking = not yes and not as_json and is_at_terminal()
    subject, title = _subject(words)
    about = {"subject": subject, "title": title, "tracker": tracker_of_remote(clone.remote) if clone else ""}
    answers = {key: text for key, text in given.items() if text.strip()}
    path = f"/products/{client.product}/start"

    def show(problem: str) -> dict[str, Any]:
        card: dict[str, Any] = client.get(path, **about, problem=problem)
        if not as_json:
            from .screen import print_card

            print_card(card)
        return card

    card = show(answers.get("problem", ""))
    if asking:
        if not title and card["ticket"] is None and parse_ticket(subject):
            about["title"] = ask(f"  What is {subject} called?")
        answers = _ask(card, answers, show)
    started = client.post(path, {**about, "answers": answers})
    branch = _branch(clone, started, asking=asking, yes=yes) if clone else {}
    if as_json:
        print_json({**started, "card": card, **branch})
        return
    _say(started, branch)


def is_at_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def _subject(words: Sequence[str]) -> tuple[str, str]:
    """A ticket may be followed by its title; anything else is one subject."""
    first, *rest = words
    if parse_ticket(first) and rest:
        return first, " ".join(rest)
    return " ".join(words), ""


def _ask(card: dict[str, Any], answers: dict[str, str], show: Callable[[str], Any]) -> dict[str, str]:
    """The questions nobody has answered yet. Enter leaves one open; a problem that is known is shown at once."""
    waiting = [question for question in card["questions"] if question["key"] not in answers]
    if waiting:
        say("\nEnter leaves a question open.")
    for number, question in enumerate(waiting, start=1):
        said = ask(f"  {number}  {question['text']}")
        if said:
            answers = {**answers, question["key"]: said}
        if said and question["key"] == "problem" and said.upper().startswith("OPP-"):
            show(said)
    return answers


def _branch(clone: Clone, started: dict[str, Any], *, asking: bool, yes: bool) -> dict[str, Any]:
    name = branch_for(clone, started["ref"], started["title"])
    created = switch_to(clone, name)
    set_trailer(clone, name, started["ref"])
    return {"branch": name, "branch_created": created, "hook": _hook(clone, asking=asking, yes=yes)}


def _hook(clone: Clone, *, asking: bool, yes: bool) -> bool:
    """Whether the hook is in place; asked for once, and a no is remembered."""
    hooks = find_hooks(clone)
    if hooks.installed and not hooks.refused:
        return True
    if yes or (asking and not hooks.refused and _agrees(hooks)):
        install(clone, hooks)
        return True
    if asking:
        refuse(clone)
    return False


def _agrees(hooks: Hooks) -> bool:
    kept = f" Your own {' and '.join(hooks.existing)} will be called first." if hooks.existing else ""
    where = f" {hooks.folder} serves other repositories too; in those it does nothing." if hooks.shared else ""
    say(f"\nA git hook can write the line into this branch's commits.{kept}{where}")
    return agrees("  Put it there?")


def _say(started: dict[str, Any], branch: dict[str, Any]) -> None:
    made = "is new" if started["created"] else "goes on"
    say(f"\n{started['ref']} {started['title']} {made}." + (f" You are on {branch['branch']}." if branch else ""))
    if branch.get("hook"):
        say(f"Commits here will say “{started['trailer']}”.")
    elif branch:
        say(BY_HAND.format(trailer=started["trailer"], ref=started["ref"]))
    for question in started["open_questions"]:
        say(f"Open: {question}")
