"""Environments and approvals from the command line: `whytree flag copy`, `follow`, `requests`, `approve`, `decline`."""

from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import print_json, say, show

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[str, typer.Argument(help="The flag's key, as code writes it.")]
Environment = Annotated[str, typer.Option("--environment", "-e", help="Where, as staging; else production.")]
Because = Annotated[str, typer.Option(help="Why, for the maintainer who approves it; only where changes need that.")]
Number = Annotated[int, typer.Argument(help="Its number in `whytree flag requests`.")]


def register(flag: typer.Typer) -> None:
    flag.command("copy")(copy)
    flag.command("follow")(follow)
    flag.command("requests")(requests)
    flag.command("approve")(approve)
    flag.command("decline")(decline)
    flag.command("withdraw")(withdraw)
    flag.command("approvals")(approvals)


def with_query(path: str, **said: str) -> str:
    """The address with what was said; what is empty is left out."""
    query = urlencode({name: value for name, value in said.items() if value})
    return f"{path}?{query}" if query else path


def is_waiting(found: dict[str, Any], as_json: bool) -> bool:
    """Whether this is a request in place of the changed thing; then it was shown."""
    if "asked_by" not in found:
        return False
    if as_json:
        print_json(found)
    else:
        _say_request(found)
        say(f"Another maintainer decides: whytree flag approve {found['id']}")
    return True


def _say_request(found: dict[str, Any]) -> None:
    old = "  (the flag was changed since)" if found["outdated"] else ""
    say(f"{found['id']}  {found['flag']}: {found['state']}, asked by {found['asked_by']}{old}")
    if found["words"]:
        say(f"    “{_on_one_line(found['words'])}”")
    _say_differences(found["differences"])
    if found["answer"]:
        say(f"    {found['decided_by']}: {_on_one_line(found['answer'])}")


def _say_differences(differences: Iterable[dict[str, str]]) -> None:
    for one in differences:
        say(f"    {one['field']}: {_on_one_line(one['before'])} → {_on_one_line(one['after'])}")


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def copy(
    key: Key,
    to: Annotated[str, typer.Option(help="The environment that shall answer likewise.")],
    from_: Annotated[str, typer.Option("--from", help="The environment that is copied.")] = "production",
    yes: Annotated[bool, typer.Option("--yes", help="Copy it; otherwise only what differs is shown.")] = False,
    because: Because = "",
    as_json: AsJson = False,
) -> None:
    """Make a flag answer in one environment as it does in another. Shows what differs; copies with --yes."""
    client = connect()
    path = f"/products/{client.product}/flags/{key}"
    if not yes:
        found = client.get(f"{path}/differences", source=from_, target=to)
        if as_json:
            print_json(found)
            return
        _say_differences(found)
        say(f"Copy it: add --yes. Nothing was changed in {to}." if found else f"{to} answers as {from_} does.")
        return
    made = client.post(with_query(f"{path}/copy", because=because), {"source": from_, "target": to})
    if not is_waiting(made, as_json):
        show(made, as_json, f"{key} is {made['state']} in {made['environment']}, as in {from_}.")


def follow(
    key: Key,
    environment: Annotated[str, typer.Option("--environment", "-e", help="Where, as staging.")],
    as_json: AsJson = False,
) -> None:
    """Let a flag answer in an environment as in production again, whatever that becomes."""
    client = connect()
    path = with_query(f"/products/{client.product}/flags/{key}/follow", environment=environment)
    made = client.post(path)
    show(made, as_json, f"{key} answers in {environment} as in production: {made['state']}.")


def requests(
    state: Annotated[str, typer.Option(help="open, approved, declined, withdrawn, expired or all.")] = "open",
    as_json: AsJson = False,
) -> None:
    """Changes of flags in production that wait for another maintainer."""
    client = connect()
    found = client.get(f"/products/{client.product}/flag-requests", state=state)
    if as_json:
        print_json(found)
        return
    for one in found:
        _say_request(one)
    if not found:
        say("Nothing waits." if state == "open" else f"There is none: {state}.")


def approve(
    number: Number, words: Annotated[str, typer.Option(help="For whoever asked.")] = "", as_json: AsJson = False
) -> None:
    """Make the change that was asked for. It expires instead when the flag was changed meanwhile."""
    _decide(number, "approve", words, as_json)


def decline(
    number: Number, words: Annotated[str, typer.Option(help="Why not, for whoever asked.")], as_json: AsJson = False
) -> None:
    """Leave the flag as it is, with words."""
    _decide(number, "decline", words, as_json)


def withdraw(number: Number, as_json: AsJson = False) -> None:
    """Take back what you asked for."""
    _decide(number, "withdraw", "", as_json)


def _decide(number: int, verb: str, words: str, as_json: bool) -> None:
    client = connect()
    found = client.post(f"/products/{client.product}/flag-requests/{number}/{verb}", {"words": words})
    if as_json:
        print_json(found)
    else:
        _say_request(found)


def approvals(
    needed: Annotated[str, typer.Argument(help="on or off; nothing shows how it is.")] = "", as_json: AsJson = False
) -> None:
    """Whether changes of flags in production need another maintainer. Turning off never does."""
    if needed not in ("", "on", "off"):
        raise CommandError("Say on or off.")
    client = connect()
    path = f"/products/{client.product}/flag-approvals"
    found = client.put(path, {"needed": needed == "on"}) if needed else client.get(path)
    says = "Changes in production need another maintainer." if found["needed"] else "Changes need no approval."
    show(found, as_json, says)
