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
from whytree.workspace.terminal import client
from whytree.workspace.terminal.printing import say, tell

from .menu import ENTRIES, command_in

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
_built: set[str] = set()


def group(name: str) -> typer.Typer:
    """The group of commands called `name`, made on first use."""
    if name not in _groups:
        kind = NodesUnlessNamed if name == "move" else TyperGroup
        _groups[name] = typer.Typer(cls=kind, no_args_is_help=True, help=ENTRIES[name].help)
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
    import logging

    import httpx

    from .boot import prepare

    application = prepare()
    logging.getLogger("django.request").setLevel(logging.CRITICAL)  # whoever asks is told in a sentence
    return httpx.WSGITransport(app=application, raise_app_exceptions=False)


def _make_owner(*, email: str, name: str) -> dict[str, str]:
    from .accounts import make_owner

    return make_owner(email=email, name=name)


def build(apps: Sequence[str] = APPS) -> typer.Typer:
    """The root with the commands of these apps on it, once each: of all, unless one knows whose is wanted."""
    for app in apps:
        if app not in _built and find_spec(f"whytree.{app}.commands"):
            _built.add(app)
            import_module(f"whytree.{app}.commands").register(root, group)
    return root


def main() -> None:
    """Entry point of ``whytree``."""
    client.set_in_process(_answer_here)
    client.set_owner_maker(_make_owner)
    try:
        entry = ENTRIES.get(command_in(sys.argv[1:]))
        build(entry.apps if entry else APPS)()
    except client.CommandError as error:
        tell(error.message, err=True, colour="red" if sys.stderr.isatty() else "")
        for line in _detail_lines(error.details):
            if _plain(line) not in _plain(error.message):
                say(f"  {line}", err=True)
        raise SystemExit(1) from None
    except BrokenPipeError:
        raise SystemExit(0) from None


def _plain(line: str) -> str:
    return line.replace("_", " ").lower()


def _detail_lines(details: object) -> list[str]:
    if not isinstance(details, dict):
        return []
    fields = details.get("fields")
    if isinstance(fields, list):
        return [f"{field['field']}: {field['problem']}" for field in fields if isinstance(field, dict)]
    return [f"{name}: {value}" for name, value in details.items()]


if __name__ == "__main__":
    main()
