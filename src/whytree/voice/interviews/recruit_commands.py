"""Whom to ask, from the command line: `whytree interview recruit` and `invite`, `whytree contact` for who was asked."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from whytree.voice.options import Unproved
from whytree.workspace.commands import AsJson
from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import plain, pour, say, show

WISHES = {"yes": True, "no": False, "unknown": None}
Person = Annotated[str, typer.Argument(help="The person, by any of their ids.")]


def register(group: Callable[[str], typer.Typer]) -> None:
    group("interview").command("recruit")(recruit)
    group("interview").command("invite")(invite)
    group("interview").command("wanted")(wanted)
    group("interview").command("calendar")(calendar)
    group("contact").command("show")(show_contact)
    group("contact").command("wish")(wish)
    group("contact").command("settings")(contact_settings)


def recruit(
    cohort: Annotated[str, typer.Option(help="People of this cohort.")] = "",
    flag: Annotated[
        list[str] | None, typer.Option(help="Who met this flag, as key or key:variant; again for more.")
    ] = None,
    opportunity: Annotated[str, typer.Option(help="Who has this opportunity's problem, as OPP-3.")] = "",
    limit: Annotated[int, typer.Option(help="How many to propose.")] = 12,
    as_json: AsJson = False,
) -> None:
    """Whom to ask for a talk. Who was asked for anything lately, or wants to be left alone, is not among them."""
    client = connect()
    path = f"/products/{client.product}/interview-candidates"
    told = client.get(path, cohort=cohort, flag=flag or [], opportunity=opportunity, limit=limit)
    if as_json:
        show(told, True)
        return
    say(f"{len(told['candidates'])} to ask, of {told['looked_at']:,} {plain(told['group'])}.", bold=True)
    for one in told["candidates"]:
        talks = f"  {one['talks']} talks" if one["talks"] else ""
        say(f"  {plain(one['person']):24} {plain(one['name'])}  {plain(one['email'])}  {one['state']}{talks}")
    if told["resting"] or told["alone"]:
        say(f"{told['resting']:,} rest, {told['alone']:,} want to be left alone.")


def invite(
    people: Annotated[list[str], typer.Argument(help="Whom to ask, by their ids.")],
    mail: Annotated[bool, typer.Option("--mail", help="Ask them by mail, with the booking link.")] = False,
    about: Annotated[str, typer.Option(help="What about, as OPP-3.")] = "",
    unproved: Unproved = False,
    as_json: AsJson = False,
) -> None:
    """Ask people for a talk, or note that you asked them; their rest begins."""
    client = connect()
    said = {"people": people, "by_mail": mail, "unproved": unproved, "about": about}
    asked = client.post(f"/products/{client.product}/interview-invitations", said)
    how = "asked by mail" if mail else "noted as asked"
    show(asked, as_json, f"{len(asked)} {how}. Plan the talk: whytree interview add --person ID --held TIME")


def wanted(as_json: AsJson = False) -> None:
    """Opportunities that rest on old or single voices: each asks for a new talk."""
    client = connect()
    found = client.get(f"/products/{client.product}/interviews-wanted")
    lines = [f"{one['opportunity']:7} {plain(one['title'])}: {one['reason']}" for one in found]
    show(found, as_json, *(lines or ["No opportunity rests on an old or a single voice."]))


def calendar(ref: Annotated[str, typer.Argument(help="The interview, as INT-3.")], as_json: AsJson = False) -> None:
    """The appointment as a calendar file: `whytree interview calendar INT-3 > talk.ics`."""
    client = connect()
    told = client.get(f"/products/{client.product}/interviews/{ref}/calendar")
    if as_json:
        show(told, True)
    else:
        pour(told["calendar"])


def show_contact(person: Person, as_json: AsJson = False) -> None:
    """Whether a person may be asked for anything, and what they were asked for."""
    client = connect()
    told = client.get(f"/products/{client.product}/contacts", person=person)
    lines = [f"  {one['at'][:10]}  {one['kind']}  {plain(one['subject'])}" for one in told["log"]]
    show(told, as_json, f"{plain(told['person'])}: {told['state']}.", *lines)


def wish(
    person: Person,
    said: Annotated[str, typer.Argument(help="yes: they agree to be asked; no: leave them alone; unknown.")],
    as_json: AsJson = False,
) -> None:
    """What a person said about being asked, for talks and surveys alike."""
    if said not in WISHES:
        raise CommandError("Say yes, no or unknown.")
    client = connect()
    told = client.put(f"/products/{client.product}/contacts", {"person": person, "may": WISHES[said]})
    show(told, as_json, f"{plain(told['person'])}: {told['state']}.")


def contact_settings(
    rest: Annotated[
        int | None, typer.Option(help="Days people are left in peace after anything they were asked.")
    ] = None,
    booking: Annotated[str | None, typer.Option(help="Address where they choose a time.")] = None,
    invitation: Annotated[str | None, typer.Option(help="What they read above it; empty for ours.")] = None,
    as_json: AsJson = False,
) -> None:
    """How people are asked for talks."""
    client = connect()
    path = f"/products/{client.product}/contact-settings"
    said: dict[str, Any] = {"rest_days": rest, "booking_url": booking, "invitation": invitation}
    said = {name: value for name, value in said.items() if value is not None}
    told = client.put(path, said) if said else client.get(path)
    show(
        told,
        as_json,
        f"Left in peace for {told['rest_days']} days after anything they were asked.",
        f"Booking: {told['booking_url'] or 'no link yet'}",
    )
