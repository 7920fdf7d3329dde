"""Those who asked for a change, from the command line."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.voice.options import Unproved
from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import connect

_STEPS = {"asked": "asked for it", "exposed": "got it", "used": "used it", "solved": "say it is solved"}


def register(group: Callable[[str], typer.Typer]) -> None:
    group("solution").command("loop")(loop)
    group("opportunity").command("representation")(representation)


def loop(
    ref: Annotated[str, typer.Argument(help="As SOL-3.")],
    message: Annotated[str, typer.Option(help="What those who asked are told: the changelog's entry.")] = "",
    used_event: Annotated[str, typer.Option(help="The event that says somebody used it.")] = "",
    tell: Annotated[list[str] | None, typer.Option(help="Tell this person that it is there; again for more.")] = None,
    tell_each: Annotated[
        bool | None,
        typer.Option("--tell-each/--no-tell-each", help="Tell each by mail, by itself, when it reaches them."),
    ] = None,
    ask: Annotated[list[str] | None, typer.Option(help="Ask this person whether it helped; again for more.")] = None,
    mail: Annotated[bool, typer.Option("--mail/--by-hand", help="Send it, or note that you did.")] = False,
    unproved: Unproved = False,
    link: Annotated[str, typer.Option(help="Print the question's address for this person.")] = "",
    as_json: AsJson = False,
) -> None:
    """How far a change has come to those who asked for it: asked, got it, used it, say it is solved."""
    client = connect()
    path = f"/products/{client.product}/solutions/{ref}/loop"
    if link:
        answer = client.post(f"{path}/link", {"person": link})
        show(answer, as_json, client.address(answer["link"]))
        return
    said: dict[str, Any] = {name: value for name, value in (("message", message), ("used_event", used_event)) if value}
    if tell_each is not None:
        said["tells"] = tell_each
    if said:
        client.put(path, said)
    if tell:
        client.post(f"{path}/tell", {"people": tell, "by_mail": mail, "unproved": unproved})
    if ask:
        client.post(f"{path}/ask", {"people": ask, "by_mail": mail, "unproved": unproved})
    way = client.get(path)
    show(way, as_json, *_lines(way))


def _lines(way: dict[str, Any]) -> list[str]:
    lines = [f"{one['people']:>6,}  {_STEPS[one['step']]}" for one in way["funnel"]]
    if way["unknown"]:
        lines.append(f"{way['unknown']:>6,}  asked without an id, and cannot be followed")
    if not way["flags"]:
        lines.append(f"No flag belongs to {way['solution']}, so nobody knows who got it.")
    if not way["events_answer"]:
        lines.append("Events cannot be read now, so nobody knows who got it.")
    if way["tells"]:
        lines.append(
            "Each is told by mail when it reaches them, where the address is proved theirs."
            if way["mail_is_set"]
            else "Each is to be told when it reaches them, but no mail server is set, so nobody is."
        )
    lines += [f"to tell  {key}" for key in way["to_tell"]] + [f"to ask   {key}" for key in way["to_ask"]]
    return lines


def representation(
    ref: Annotated[str, typer.Argument(help="As OPP-3.")],
    as_json: AsJson = False,
) -> None:
    """Who speaks for an opportunity, against who uses the product."""
    client = connect()
    told = client.get(f"/products/{client.product}/opportunities/{ref}/representation")
    lines = [f"{warning}." for warning in told["warnings"]] or [
        "These voices do not differ from your users, as far as can be seen."
    ]
    for kind in told["kinds"]:
        lines.append(f"by {kind['kind']}: {kind['voices']:,} voices, {kind['users']:,} users")
        for share in kind["shares"][:5]:
            voices, users = f"{share['of_voices']:.0%}", f"{share['of_users']:.0%}"
            lines.append(f"  {share['name'][:30]:30} {voices:>5} of the voices {users:>5} of the users")
    if not told["kinds"]:
        lines = ["Too few of those who spoke are known: eight are the least that can be compared."]
    show(told, as_json, *lines)
