"""`whytree repository mirror` and `stop-mirror`: the server does the work."""

from collections.abc import Callable
from typing import Annotated

import typer

from whytree.workspace.terminal.client import Client, CommandError, connect
from whytree.workspace.terminal.printing import print_json, say, show

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("repository").command("mirror")(mirror_repository)
    group("repository").command("stop-mirror")(stop_mirror)


def mirror_repository(
    url: Annotated[
        str, typer.Argument(help="Its public address, as https://github.com/acme/sprout; left out: those there are.")
    ] = "",
    name: Annotated[str, typer.Option(help="What to call it; the end of the address otherwise.")] = "",
    with_code: Annotated[
        bool, typer.Option("--with-code", help="Keep whole files too, so that pages show any line of them.")
    ] = False,
    no_code: Annotated[bool, typer.Option("--no-code", help="Keep no line of code at all.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let the server copy and read a public repository, now and every hour. No clone is needed.

    The same address again reads it now. A private one is read from a clone: whytree repository add.
    """
    if not url:
        _list(connect(), as_json=as_json)
        return
    if with_code and no_code:
        raise CommandError("--with-code keeps files and --no-code keeps none. Give one of them.")
    client = connect()
    body = {"url": url, "name": name, "with_code": with_code, "with_hunks": not no_code}
    mirror = client.post(f"/products/{client.product}/mirrors", body)
    serving = "" if client.where.startswith("http") else " No server runs here now. Start it: whytree serve"
    show(
        mirror, as_json, f"{mirror['name']} is read soon, and then every hour. See: whytree repository mirror{serving}"
    )


def stop_mirror(
    name: Annotated[str, typer.Argument(help="Its name or its address.")],
    as_json: AsJson = False,
) -> None:
    """Copy it no more. What was read of it stays."""
    client = connect()
    path = f"/products/{client.product}/mirrors"
    mirrors = client.get(path)
    found = [one for one in mirrors if name in {one["name"], one["url"]}]
    if len(found) != 1:
        names = ", ".join(one["url"] for one in found or mirrors) or "none yet"
        raise CommandError(
            f"{'Several mirrors are' if found else 'No mirror is'} called {name[:100]}. There are: {names}"
        )
    client.delete(f"{path}/{found[0]['id']}")
    show(found[0], as_json, f"{found[0]['name']} is mirrored no more. What was read of it stays.")


def _list(client: Client, *, as_json: bool) -> None:
    mirrors = client.get(f"/products/{client.product}/mirrors")
    if as_json:
        print_json(mirrors)
        return
    for one in mirrors:
        say(f"{one['name']:24} {one['url']}  {one['state']}{': ' if one['says'] else ''}{one['says']}")
    if not mirrors:
        say("None yet. Give a public address: whytree repository mirror https://github.com/acme/sprout")
