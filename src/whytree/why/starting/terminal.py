"""`whytree start` on the command line's side: the screen, the questions, the branch and its trailer."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from whytree.code.clone.git import Clone, open_clone
from whytree.engines.links.tickets import parse_ticket, tracker_of_remote
from whytree.workspace.terminal.client import Client, CommandError
from whytree.workspace.terminal.printing import agrees, ask, plain, print_json, say, tell

from ..refs import NodeRef, NotAReference, parse_ref
from .branches import begins_at, branch_for, set_trailer, switch_to
from .hooks import Hooks, find_hooks, install, refuse

BY_HAND = "Write the line “{trailer}” into your messages, or let a git hook add it: whytree start {ref} --yes"
UNTIL_THEN = "Until then, write the line “{trailer}” into your messages."
LONGEST_SUBJECT = 1_000
NOTHING = 'Start on what? A ticket, a problem, a solution or a few words: whytree start "#412"'
# Of what could be started now, so much is named.
MOST_NAMED = 5
_NOT_BUILT = ("idea", "testing")


def begin(
    client: Client, words: Sequence[str], given: Mapping[str, str], *, with_branch: bool, yes: bool, as_json: bool
) -> None:
    """Show what is known, ask what is not, make the solution and the branch."""
    clone = _clone() if with_branch else None
    asking = not yes and not as_json and is_at_terminal()
    subject, title = _subject(words)
    about = {"subject": subject, "title": title, "tracker": tracker_of_remote(clone.remote) if clone else ""}
    answers = {key: text for key, text in given.items() if text.strip()}
    path = f"/products/{client.product}/start"

    def show(problem: str) -> dict[str, Any]:
        card: dict[str, Any] = client.get(path, **about, problem=problem)
        if not as_json:
            from ..asking.screen import print_card

            print_card(card)
        return card

    card = show(answers.get("problem", ""))
    if asking:
        if question := _needs_title(card, subject, title):
            about["title"] = ask(f"\n  {question}")
        answers = _ask(card, answers, show)
    started = client.post(path, {**about, "answers": answers})
    branch = _branch(clone, started, asking=asking, yes=yes) if clone else {}
    if as_json:
        print_json({**started, "card": card, **branch})
        return
    _say(started, branch)


def on_nothing(client: Client) -> CommandError:
    """What to say to a bare `whytree start`: how, and what waits to be started."""
    path = f"/products/{client.product}"
    waiting = [one for one in client.get(f"{path}/solutions") if one["state"] in _NOT_BUILT]
    solved = {one["parent"] for one in client.get(f"{path}/solutions")}
    problems = [one for one in client.get(f"{path}/opportunities") if one["ref"] not in solved and not one["closed_at"]]
    named = [f"  {one['ref']}  {plain(one['title'])}" for one in (*waiting[:MOST_NAMED], *problems[:MOST_NAMED])]
    return CommandError("\n".join([NOTHING, *(["Nobody has begun with:"] if named else []), *named]))


def is_at_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty()


def _clone() -> Clone:
    try:
        return open_clone(Path.cwd())
    except CommandError as error:
        raise CommandError(f"{error.message} Without a branch: whytree start … --no-branch") from error


def _subject(words: Sequence[str]) -> tuple[str, str]:
    """A ticket or a problem may be followed by a title; anything else is one subject."""
    first, *rest = words
    if sum(map(len, words)) > LONGEST_SUBJECT:
        raise CommandError(f"Say it in fewer words: at most {LONGEST_SUBJECT:,} characters. The ticket has the rest.")
    if rest and (parse_ticket(first) or _is_node(first)):
        return first, " ".join(rest)
    return " ".join(words), ""


def _is_node(word: str) -> bool:
    try:
        return isinstance(parse_ref(word), NodeRef)
    except NotAReference:
        return False


def _needs_title(card: dict[str, Any], subject: str, title: str) -> str:
    """What to ask where what is started has no name yet: a ticket nobody has seen, another way to solve a problem."""
    if title or card["solution"]:
        return ""
    if card["ticket"] is None and parse_ticket(subject):
        return f"What is {subject} called?"
    is_problem = card["opportunity"] and subject.upper() == card["opportunity"]["ref"]
    return "What will you try?" if is_problem else ""


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
    if not re.fullmatch(r"SOL-[1-9]\d{0,8}", started["ref"]):
        raise CommandError(f"The server answered {started['ref'][:40]!r}, which is no solution's id. Is it Whytree's?")
    name = branch_for(clone, started["ref"], started["title"])
    begin = begins_at(clone)
    created = switch_to(clone, name)
    set_trailer(clone, name, started["ref"])
    placed, problem = _hook(clone, asking=asking, yes=yes)
    return {
        "branch": name,
        "branch_created": created,
        "begins_at": begin if created else "",
        "hook": placed,
        "hook_problem": problem,
    }


def _hook(clone: Clone, *, asking: bool, yes: bool) -> tuple[bool, str]:
    """Whether the hook is in place, else what is in its way. Asked for once: a yes and a no are remembered.

    After a yes it comes back by itself where a tool (husky, `pre-commit install --overwrite`) has replaced it.
    """
    hooks = find_hooks(clone)
    if hooks.refused and not yes:
        return False, ""
    if hooks.installed and not hooks.refused:
        return True, ""
    if yes or hooks.agreed or (asking and _agrees(hooks)):
        try:
            install(clone, hooks)
        except CommandError as error:
            return False, error.message
        return _works(find_hooks(clone))
    if asking:
        refuse(clone)
    return False, ""


def _works(hooks: Hooks) -> tuple[bool, str]:
    if not hooks.missing_lines:
        return True, ""
    lines = "\n".join(f"  {file}: {line}" for file, line in hooks.missing_lines.items())
    return False, f"Your hooks are files of this repository, so they were left alone. Add one line to each:\n{lines}"


def _agrees(hooks: Hooks) -> bool:
    kept = f" Your own {' and '.join(hooks.existing)} will be called first." if hooks.existing else ""
    where = f" {hooks.folder} serves other repositories too; in those it does nothing." if hooks.shared else ""
    say(f"\nA git hook can write the line into this branch's commits.{kept}{where}")
    return agrees("  Put it there?")


def _say(started: dict[str, Any], branch: dict[str, Any]) -> None:
    made = "is new" if started["created"] else "goes on"
    say("")
    tell(f"{started['ref']} {started['title']} {made}." + (f" You are on {branch['branch']}." if branch else ""))
    if branch.get("begins_at"):
        tell(branch["begins_at"])
    if branch.get("hook"):
        say(f"Commits here will say “{started['trailer']}”.")
    elif branch.get("hook_problem"):
        say(branch["hook_problem"])
        say(UNTIL_THEN.format(trailer=started["trailer"]))
    elif branch:
        tell(BY_HAND.format(trailer=started["trailer"], ref=started["ref"]))
    for question in started["open_questions"]:
        say(f"Open: {question}")
