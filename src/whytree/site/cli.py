"""The command line's root: mounts every app's commands, and says where the API is answered.

Nothing here imports Django or the event engine; a command that needs them in this process gets them on its first call.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from whytree import __version__
from whytree.workspace import client
from whytree.workspace.printing import say

if TYPE_CHECKING:
    import httpx
    from typer._click.core import Command, Context

APPS = (
    "site",
    "workspace",
    "tree",
    "code",
    "why",
    "events",
    "people",
    "analytics",
    "flags",
    "voice",
    "experiments",
    "learning",
    "demo",
)

# People wait for these: the other apps' commands need not be read for them. Each belongs to one app, and to no group.
ALONE = {"why": ("why",), "start": ("why",), "themes": ("voice",)}

# What a group of commands is for, as `whytree --help` shows it.
GROUPS = {
    "product": "Products.",
    "member": "Who belongs to a product.",
    "key": "Capture and server keys.",
    "token": "Your personal tokens.",
    "event": "What people do, as your product sends it.",
    "plan": "Which events should come: a tracking plan as YAML.",
    "import": "Bring in events, feedback, tickets, a tree.",
    "export": "Take out the whole workspace or a tree.",
    "repository": "Clones whose lines can say why.",
    "ticket": "What your tracker knows.",
    "outcome": "Metrics with a target.",
    "opportunity": "Needs, pain points and desires.",
    "draft": "Nodes inferred from code and tickets, until you say yes or no.",
    "solution": "Ways to address an opportunity.",
    "hypothesis": "What a solution is believed to do.",
    "test": "Tests before code: the cheapest answer first.",
    "note": "Comments, questions, challenges, constraints, decisions.",
    "evidence": "What speaks for or against a node.",
    "metric": "What is counted.",
    "ask": "Questions asked of what people did.",
    "alert": "Numbers that say by themselves when they move.",
    "subscription": "Boards and kept questions that come by themselves.",
    "board": "Kept questions side by side.",
    "cohort": "Groups of people, told by what they did.",
    "field": "Form fields: what they cost people, and whether code reads them.",
    "move": "Hang a node under another one (`whytree move OPP-2 --under OUT-1`), or take events to another store.",
    "flag": "Feature flags.",
    "feedback": "What people said.",
    "portal": "The public board: posts, votes and where they stand.",
    "usability": "Watch a few people, and what they stumbled over.",
    "survey": "Ask people a few questions.",
    "theme": "What many voices are about.",
    "interview": "Talks with people, and what was said.",
    "highlight": "Marked words of voices and talks.",
    "contact": "Who may be asked for something, and when they were last.",
    "experiment": "What a change did to people drawn by lot.",
    "rollout": "Changes brought to more and more people, while guardrails are watched.",
    "guard": "Whether what was kept still helps.",
    "debt": "Corners that were cut, to be paid if the change stays.",
    "review": "Predictions against what happened.",
    "slack": "The channel that gets five lines on Mondays.",
    "person": "The people who use the product.",
}


class NodesUnlessNamed(TyperGroup):
    """A group whose `node` is meant where none of its commands is named: `whytree move OPP-2 --under OUT-1`."""

    def resolve_command(self, ctx: "Context", args: list[str]) -> "tuple[str | None, Command | None, list[str]]":
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["node", *args]
        return super().resolve_command(ctx, args)


root = typer.Typer(
    name="whytree",
    help="From what users say, through the change you shipped, to what it did.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_groups: dict[str, typer.Typer] = {}


def group(name: str) -> typer.Typer:
    """The group of commands called `name`, made on first use."""
    if name not in _groups:
        kind = NodesUnlessNamed if name == "move" else TyperGroup
        _groups[name] = typer.Typer(cls=kind, no_args_is_help=True, help=GROUPS[name])
        root.add_typer(_groups[name], name=name)
    return _groups[name]


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"whytree {__version__}")
        raise typer.Exit


@root.callback()
def main_options(
    product: Annotated[str, typer.Option("--product", help="Short name of the product spoken about.")] = "",
    data: Annotated[str, typer.Option("--data", help="Data folder, when not the default one.")] = "",
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From what users say, through the change you shipped, to what it did."""
    client.choose(product=product, data=data)


def _answer_here() -> "httpx.BaseTransport":
    """The API answered in this process, on the data folder: no server needed."""
    import httpx

    from .boot import prepare

    return httpx.WSGITransport(app=prepare(), raise_app_exceptions=False)


def _make_owner(*, email: str, name: str) -> dict[str, str]:
    from .accounts import make_owner

    return make_owner(email=email, name=name)


def build(apps: Sequence[str] = APPS) -> typer.Typer:
    """The root with the commands of these apps on it: of all, unless one knows whose is wanted."""
    for app in apps:
        if find_spec(f"whytree.{app}.commands"):
            import_module(f"whytree.{app}.commands").register(root, group)
    return root


def main() -> None:
    """Entry point of ``whytree``."""
    client.set_in_process(_answer_here)
    client.set_owner_maker(_make_owner)
    try:
        build(ALONE.get(sys.argv[1] if len(sys.argv) > 1 else "", APPS))()
    except client.CommandError as error:
        say(error.message, err=True, colour="red" if sys.stderr.isatty() else "")
        for line in _detail_lines(error.details):
            say(f"  {line}", err=True)
        raise SystemExit(1) from None
    except BrokenPipeError:
        raise SystemExit(0) from None


def _detail_lines(details: object) -> list[str]:
    if not isinstance(details, dict):
        return []
    fields = details.get("fields")
    if isinstance(fields, list):
        return [f"{field['field']}: {field['problem']}" for field in fields if isinstance(field, dict)]
    return [f"{name}: {value}" for name, value in details.items()]


if __name__ == "__main__":
    main()
