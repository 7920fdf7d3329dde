"""Commands that run on the server's own machine: serve, work, owner, settings."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree import options as settings
from whytree.workspace.terminal import client
from whytree.workspace.terminal.printing import print_json, say, show

from . import copies


def register(root: typer.Typer, group: Any) -> None:
    root.command()(serve)
    root.command()(work)
    root.command()(owner)
    root.command("sign-in")(sign_in)
    root.command("settings")(show_settings)
    root.command()(doctor)
    root.command()(mcp)
    copies.register(root, group)


def serve(
    port: Annotated[int, typer.Option(help="Port to listen on, when not WHYTREE_PORT.", show_default=False)] = 0,
) -> None:
    """Run the server: pages, API, capture, flags, and the background jobs."""
    from dataclasses import replace

    from .serving.server import serve as run

    chosen = client.options()
    if port:
        chosen = replace(chosen, port=port)
        os.environ["WHYTREE_PORT"] = str(port)  # addresses in mails are those that are answered
    run(chosen, ready=lambda address: say(f"Whytree answers at {address}   (Ctrl-C stops it)"))


def work() -> None:
    """Run background jobs in a process of their own (with WHYTREE_JOBS=0 on the server)."""
    import signal
    import threading

    from .boot import prepare

    prepare()
    from whytree.workspace.background.jobs import start_workers

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    say("Working. Ctrl-C stops after the job in hand.")
    for worker in start_workers(stop):
        while worker.is_alive():  # a signal is heard between two waits
            worker.join(timeout=1)


def mcp(
    folder: Annotated[Path, typer.Argument(help="Your clone; the folder it is started in when left out.")] = Path(),
) -> None:
    """Speak MCP on standard input and output: your coding agent starts this, and asks why before it changes a line."""
    from .mcp.stdio import serve as run

    run(folder)


def owner(
    email: Annotated[str, typer.Argument(help="The first owner's e-mail address; after a restore, an owner's.")],
    name: Annotated[str, typer.Option(help="How pages call them.")] = "",
    product: Annotated[str, typer.Option("--product-name", help="Also make a product with this name.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make the first owner, and the local token that lets this command line act for them. No mail server needed.

    Where there is an owner and the token is gone, as after a restore: a new token for that owner.
    """
    from .accounts import make_owner

    facts = make_owner(email=email, name=name, product_name=product)
    if as_json:
        print_json(facts)
        return
    say(f"{facts['email']} owns this workspace. The command line acts for them from now on.")
    say(f"Sign in once with this link, within 30 minutes, and choose a password:\n  {facts['link']}")
    say("It works while the server runs: whytree serve")


def sign_in(
    email: Annotated[str, typer.Argument(help="Whose account; left out: the owner of the local token.")] = "",
    reset: Annotated[
        bool, typer.Option("--reset", help="Also forget the second factor, and who one is at the OpenID provider.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a link that signs in once. Only on the server's own machine; for forgotten passwords too."""
    from .accounts import sign_in_link

    facts = sign_in_link(email, reset=reset)
    show(facts, as_json, facts["link"])


def show_settings(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every setting, its value here, and what it means."""
    chosen = client.options()
    rows = [
        {
            "name": option.name,
            "value": _shown(option, getattr(chosen, option.attribute)),
            "default": option.default,
            "help": option.help,
        }
        for option in settings.OPTIONS
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        say(f"{row['name']}={row['value']}", bold=True)
        say(f"    {row['help']}")
    say("\nA secret can be read from a file instead: <NAME>_FILE=/path")


def _shown(option: settings.Option, value: object) -> str:
    if option.secret and value:
        scheme, address, rest = str(value).partition("://")
        if not address or not option.name.endswith("_URL"):
            return "(set)"
        if "@" in rest:
            return f"{scheme}://(set)"
    if isinstance(value, bool):
        return "1" if value else "0"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at the set-up and say what to do; exit code 1 when something does not work."""
    from .doctor import as_rows, examine

    findings = examine()
    if as_json:
        print_json(as_rows(findings))
    else:
        marks = {
            "ok": ("ok", "green"),
            "advice": ("look", "yellow"),
            "problem": ("no", "red"),
        }
        for finding in findings:
            word, colour = marks[finding.state]
            say(f"{word:>5}", colour=colour, end="")
            say(f"  {finding.subject:12} {finding.text}")
    if any(finding.state == "problem" for finding in findings):
        raise typer.Exit(1)
