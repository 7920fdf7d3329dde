"""What `whytree --help` shows, as data: every command by what one wants, what it is for, and whose commands it needs.

Read without the commands themselves: help answers at once, and a command loads only the apps that it belongs to. A test
holds this to what the apps register.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A command or a group of them: the apps that register it, and a line of help."""

    apps: tuple[str, ...]
    help: str


_SITE, _TREE, _CODE, _WHY, _VOICE = ("site",), ("tree",), ("code",), ("why",), ("voice",)
_WORKSPACE, _EVENTS, _NUMBERS, _LEARNING = ("workspace",), ("events",), ("analytics",), ("learning",)

MENU: dict[str, dict[str, Entry]] = {
    "In your clone": {
        "init": Entry(_WHY, "Begin: whom was this code for?"),
        "why": Entry(_WHY, "Why is this here? A line, file, flag, commit or ticket."),
        "start": Entry(_WHY, "Begin work with its why: one screen, three questions."),
        "improve": Entry(_WHY, "How could this be better?"),
        "coverage": Entry(_WHY, "What the code rests on."),
        "daily": Entry(_WHY, "Three voices, and what waits for you."),
        "search": Entry(_WHY, "Find by words: nodes, voices, flags, metrics, commits."),
        "mcp": Entry(_SITE, "Let your coding agent ask: MCP on standard input and output."),
        "repository": Entry(_CODE, "Clones whose lines can say why."),
        "ticket": Entry(_CODE, "What your tracker knows."),
        "field": Entry(_CODE, "Form fields: what they cost, and whether code reads them."),
    },
    "What people say": {
        "feedback": Entry(_VOICE, "What people said."),
        "portal": Entry(_VOICE, "The public board: posts, votes and where they stand."),
        "usability": Entry(_VOICE, "Watch a few people, and what they stumbled over."),
        "theme": Entry(_VOICE, "What many voices are about."),
        "themes": Entry(_VOICE, "The themes of a file of texts."),
        "interview": Entry(_VOICE, "Talks with people, and what was said."),
        "highlight": Entry(_VOICE, "Marked words of voices and talks."),
        "survey": Entry(_VOICE, "Ask people a few questions."),
        "contact": Entry(_VOICE, "Who may be asked for something, and when they were last."),
        "person": Entry(("people",), "The people who use the product."),
    },
    "What people do": {
        "ask": Entry(_NUMBERS, "Questions asked of what people did."),
        "metric": Entry(("analytics", "experiments"), "What is counted."),
        "board": Entry(_NUMBERS, "Kept questions side by side."),
        "alert": Entry(_NUMBERS, "Numbers that say by themselves when they move."),
        "subscription": Entry(_NUMBERS, "Boards and kept questions that come by themselves."),
        "cohort": Entry(_NUMBERS, "Groups of people, told by what they did."),
        "apply": Entry(_NUMBERS, "Make metrics what a file says."),
        "event": Entry(_EVENTS, "What people do, as your product sends it."),
        "plan": Entry(_EVENTS, "Which events should come: a tracking plan as YAML."),
    },
    "The tree": {
        "tree": Entry(_TREE, "Outcomes, opportunities, solutions and what hangs below."),
        "outcome": Entry(_TREE, "Metrics with a target."),
        "opportunity": Entry(("tree", "voice"), "Needs, pain points and desires."),
        "solution": Entry(("tree", "voice"), "Ways to address an opportunity."),
        "hypothesis": Entry(("tree", "learning"), "What a solution is believed to do."),
        "evidence": Entry(_TREE, "What speaks for or against a node."),
        "note": Entry(_TREE, "Comments, questions, challenges, constraints, decisions."),
        "draft": Entry(_TREE, "Nodes inferred from code and tickets, until you say yes or no."),
        "move": Entry(("site", "tree"), "Hang a node elsewhere (move OPP-2 --under OUT-1); move events."),
        "close": Entry(_TREE, "Take a node out of play, with a reason."),
        "reopen": Entry(_TREE, "Bring a closed node back into play."),
    },
    "Changes": {
        "assumption": Entry(("experiments",), "What must be true for a solution to work."),
        "test": Entry(("experiments",), "Tests before code: the cheapest answer first."),
        "flag": Entry(("flags", "experiments"), "Feature flags."),
        "experiment": Entry(("experiments",), "What a change did, by random assignment."),
        "rollout": Entry(("experiments",), "Changes brought to more and more people, guardrails watched."),
        "deployment": Entry(("code", "why"), "What went out, with which commits and for whom."),
        "incident": Entry(_CODE, "What broke, and which deployment did it."),
    },
    "What was learned": {
        "review": Entry(_LEARNING, "Predictions against what happened."),
        "guard": Entry(_LEARNING, "Whether what was kept still helps."),
        "debt": Entry(_LEARNING, "Corners that were cut, to be paid if the change stays."),
        "calibration": Entry(_LEARNING, "Are we any good at predicting?"),
        "programme": Entry(_LEARNING, "What all changes together came to."),
        "digest": Entry(_WHY, "The Monday mail: five lines."),
        "slack": Entry(_WHY, "The channel that gets five lines on Mondays."),
    },
    "The server": {
        "demo": Entry(("demo",), "Look at Whytree with a story in it."),
        "serve": Entry(_SITE, "Run the server: pages, API, capture, flags, jobs."),
        "work": Entry(_SITE, "Run background jobs in a process of their own."),
        "sign-in": Entry(_SITE, "A link that signs in once, on the server's own machine."),
        "owner": Entry(_SITE, "Make the first owner."),
        "product": Entry(_WORKSPACE, "Products."),
        "member": Entry(_WORKSPACE, "Who belongs to a product."),
        "environment": Entry(_WORKSPACE, "Where your code runs beside production."),
        "key": Entry(_WORKSPACE, "Capture and server keys."),
        "token": Entry(_WORKSPACE, "Your personal tokens."),
        "import": Entry(
            ("site", "tree", "code", "events", "analytics", "flags", "voice"),
            "Bring in events, feedback, tickets, a tree.",
        ),
        "export": Entry(("site", "tree"), "Take out the whole workspace or a tree."),
        "activity": Entry(_WORKSPACE, "Who did what."),
        "undo": Entry(_WORKSPACE, "Take back your own last act."),
        "settings": Entry(_SITE, "Every setting and its value here."),
        "doctor": Entry(_SITE, "Look at the set-up and say what to do."),
        "backup": Entry(_SITE, "Save everything in one file."),
        "restore": Entry(_SITE, "Bring a backup into an empty data folder."),
    },
}
ENTRIES = {name: entry for entries in MENU.values() for name, entry in entries.items()}

# Options that stand before the command; the first two take a word.
_TAKE_A_WORD = ("--product", "--data")
_OPTIONS = {
    "--product NAME": "Short name of the product spoken about.",
    "--data FOLDER": "Data folder, when not the default one.",
    "--version": "Print the version.",
}


def command_in(words: Sequence[str]) -> str:
    """The command among the words of a command line; "" where none is."""
    rest = iter(words)
    for word in rest:
        if word in _TAKE_A_WORD:
            next(rest, None)
        elif not word.startswith("-"):
            return word
    return ""


def print_menu() -> None:
    """One line a command, in 80 columns."""
    from whytree.workspace.terminal.printing import say

    say("From what users say, through the change you shipped, to what it did.")
    say()
    say("whytree COMMAND --help says more. New here? Go into a clone of yours: whytree init")
    for place, rows in _sections():
        say()
        say(place, bold=True)
        for name, text in rows.items():
            say(f"  {name:15} {text}")


def _sections() -> Iterator[tuple[str, dict[str, str]]]:
    for place, entries in MENU.items():
        yield place, {name: entry.help for name, entry in entries.items()}
    yield "Before the command", _OPTIONS
