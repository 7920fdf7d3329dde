"""`whytree --help` and what a command loads are told by a table, so the table must be what the apps register."""

import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec

import typer

from tests.servers import ROOT, live_env
from whytree.site.cli import APPS, build
from whytree.site.menu import ENTRIES, MENU, command_in


def _registered(app: str) -> set[str]:
    """Names of the commands and groups that an app puts on the root."""
    root, groups = typer.Typer(), dict[str, typer.Typer]()

    def group(name: str) -> typer.Typer:
        return groups.setdefault(name, typer.Typer())

    if find_spec(f"whytree.{app}.commands"):
        import_module(f"whytree.{app}.commands").register(root, group)
    alone = [one.name or (one.callback.__name__ if one.callback else "") for one in root.registered_commands]
    return {name.replace("_", "-") for name in alone} | set(groups)


def test_the_menu_names_every_command_and_the_apps_that_register_it() -> None:
    owners: dict[str, list[str]] = {}
    for app in APPS:
        for name in _registered(app):
            owners.setdefault(name, []).append(app)
    assert {name: list(entry.apps) for name, entry in ENTRIES.items()} == owners
    assert sum(map(len, MENU.values())) == len(ENTRIES)


def test_building_it_again_adds_nothing() -> None:
    names = [group.name for group in build().registered_groups]
    assert [group.name for group in build(APPS).registered_groups] == names
    alone = [command.callback for command in build().registered_commands]
    assert len(set(alone)) == len(alone)


def test_a_line_of_the_menu_fits_eighty_columns() -> None:
    assert not [name for name, entry in ENTRIES.items() if len(entry.help) > 62 or len(name) > 15]


def test_the_command_is_found_behind_what_stands_before_it() -> None:
    assert command_in(["--product", "sprout", "why", "a.py:1"]) == "why"
    assert command_in(["--data=/tmp/x", "why"]) == "why"
    assert command_in(["--version"]) == ""


def test_help_is_there_before_the_commands_are() -> None:
    code = (
        "import sys; sys.argv = ['whytree', '--help']; from whytree.site.start import main; main(); "
        "loaded = {name for name in sys.modules if name.endswith('.commands') or name.split('.')[0] in ('rich', 'django')}; "
        "sys.exit(str(loaded) if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=live_env(ROOT), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "  init            Begin" in done.stdout
