"""One voice at a time from the command line: add, search, read, link, put away."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from whytree.engines.figures import stars
from whytree.voice.options import Unproved
from whytree.workspace.commands import AsJson, show
from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import plain


def register(group: Callable[[str], typer.Typer]) -> None:
    group("feedback").command("add")(add_feedback)
    group("feedback").command("search")(search_feedback)
    group("feedback").command("export")(export_feedback)
    group("feedback").command("poll")(poll_mailbox)
    group("feedback").command("show")(show_feedback)
    group("feedback").command("screenshot")(screenshot)
    group("feedback").command("note")(note_feedback)
    group("feedback").command("answer")(answer_feedback)
    group("feedback").command("link")(link_feedback)
    group("feedback").command("unlink")(unlink_feedback)
    group("feedback").command("put-away")(put_away)
    group("highlight").command("tag")(tag_highlight)


def add_feedback(
    text: Annotated[str, typer.Argument(help="What was said, in their own words.")],
    author: Annotated[str, typer.Option(help="Who said it.")] = "",
    email: Annotated[str, typer.Option(help="Their e-mail address.")] = "",
    person: Annotated[str, typer.Option(help="The id their events come under.")] = "",
    said_at: Annotated[str, typer.Option(help="When; now when left out.")] = "",
    rating: Annotated[str, typer.Option(help="A number, when they gave one.")] = "",
    source: Annotated[str, typer.Option(help="Where you heard it.")] = "told us",
    url: Annotated[str, typer.Option(help="A link to it.")] = "",
    consent: Annotated[str, typer.Option(help="none, internal or quotable.")] = "internal",
    as_json: AsJson = False,
) -> None:
    """Pass on what somebody told you. They are the author, you are the reporter."""
    client = connect()
    said = {
        "text": text,
        "author_name": author,
        "author_email": email,
        "person": person,
        "said_at": said_at,
        "rating": rating,
        "url": url,
    }
    item = client.post(
        f"/products/{client.product}/feedback",
        {
            **{name: value for name, value in said.items() if value},
            "consent": consent,
            "source_type": "heard",
            "source_name": source,
            "heard": True,
        },
    )
    show(item, as_json, f"{item['ref']} waits for a reader.")


def search_feedback(
    words: Annotated[
        list[str] | None, typer.Argument(help='Words; "in quotes" as a phrase, -without this one.')
    ] = None,
    source: Annotated[str, typer.Option(help="Only from this source.")] = "",
    rating: Annotated[int | None, typer.Option(help="Only with this rating.")] = None,
    state: Annotated[str, typer.Option(help="waiting, asleep, linked, away or all.")] = "all",
    tag: Annotated[str, typer.Option(help="Only with this tag.")] = "",
    status: Annotated[str, typer.Option(help="Only with this status.")] = "",
    assignee: Annotated[str, typer.Option(help="Only this member's, by address; none for nobody's.")] = "",
    plan: Annotated[str, typer.Option(help="Only by people on this plan.")] = "",
    company: Annotated[str, typer.Option(help="Only by people of this company.")] = "",
    segment: Annotated[str, typer.Option(help="Only by people of this cohort, by its key.")] = "",
    node: Annotated[str, typer.Option(help="Only what speaks for this node: OPP-3; of an outcome all below it.")] = "",
    language: Annotated[str, typer.Option(help="Only in this language, as de; a machine tells.")] = "",
    sentiment: Annotated[str, typer.Option(help="positive, neutral or negative; a machine tells, English only.")] = "",
    version: Annotated[str, typer.Option(help="Only about this version of the app.")] = "",
    variant: Annotated[str, typer.Option(help="Only said while this flag variant was in force, as signup:short.")] = "",
    since: Annotated[str, typer.Option(help="Only from this day on, as 2026-03-02.")] = "",
    until: Annotated[str, typer.Option(help="Only up to this day.")] = "",
    only_words: Annotated[
        bool, typer.Option("--only-words", help="Nothing that only means something like it.")
    ] = False,
    limit: Annotated[int, typer.Option(help="How many, 200 at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Find voices by their words and by what they mean (marked ~), the best match first; without words, the newest."""
    client = connect()
    found = client.get(
        f"/products/{client.product}/feedback",
        q=" ".join(words or []),
        source=source,
        rating=rating,
        state=state,
        limit=limit,
        only_words=only_words,
        tag=tag,
        status=status,
        assignee=assignee,
        plan=plan,
        company=company,
        segment=segment,
        opportunity=node,
        language=language,
        sentiment=sentiment,
        version=version,
        variant=variant,
        since=since,
        until=until,
    )
    if not found["items"]:
        show(found, as_json, "Nothing found. Try fewer words, or the beginning of one: refund finds refunded.")
        return
    show(found, as_json, *(line for item in found["items"] for line in _lines(item)))


def poll_mailbox(as_json: AsJson = False) -> None:
    """Look into the mailbox of WHYTREE_IMAP_URL now; the server does so every five minutes."""
    client = connect()
    one = client.post(f"/products/{client.product}/feedback-mailbox")
    beside = {
        "known": "known already",
        "left_out": "automatic or the team's",
        "empty": "without words",
        "unreadable": "unreadable",
    }
    others = ", ".join(f"{one[name]:,} {said}" for name, said in beside.items() if one[name])
    show(one, as_json, f"{one['taken']:,} taken{f'; {others}' if others else ''}.")


def export_feedback(
    to: Annotated[Path, typer.Option(help="The file: .csv for a spreadsheet, .jsonl for anything else.")],
    words: Annotated[list[str] | None, typer.Argument(help="Only voices with these words.")] = None,
    state: Annotated[str, typer.Option(help="waiting, asleep, linked, away or all.")] = "all",
    source: Annotated[str, typer.Option(help="Only from this source.")] = "",
    rating: Annotated[str, typer.Option(help="Only with this rating.")] = "",
    tag: Annotated[str, typer.Option(help="Only with this tag.")] = "",
    status: Annotated[str, typer.Option(help="Only with this status.")] = "",
    assignee: Annotated[str, typer.Option(help="Only this member's, by address; none for nobody's.")] = "",
    node: Annotated[str, typer.Option(help="Only what speaks for this node: OPP-3; of an outcome all below it.")] = "",
    segment: Annotated[str, typer.Option(help="Only by people of this cohort, by its key.")] = "",
    plan: Annotated[str, typer.Option(help="Only by people on this plan.")] = "",
    company: Annotated[str, typer.Option(help="Only by people of this company.")] = "",
    version: Annotated[str, typer.Option(help="Only about this version of the app.")] = "",
    variant: Annotated[str, typer.Option(help="Only said while this flag variant was in force, as signup:short.")] = "",
    language: Annotated[str, typer.Option(help="Only in this language, as de.")] = "",
    sentiment: Annotated[str, typer.Option(help="positive, neutral or negative.")] = "",
    since: Annotated[str, typer.Option(help="Only from this day on, as 2026-03-02.")] = "",
    until: Annotated[str, typer.Option(help="Only up to this day.")] = "",
    as_json: AsJson = False,
) -> None:
    """Voices as a file with stable columns, filtered as `search` does."""
    form = to.suffix.lower().lstrip(".")
    if form not in ("csv", "jsonl"):
        raise CommandError("Call the file something.csv or something.jsonl: its ending says what it is to be.")
    client = connect()
    asked = {
        "form": form,
        "q": " ".join(words or []),
        "state": state,
        "source": source,
        "rating": rating,
        "tag": tag,
        "status": status,
        "assignee": assignee,
        "opportunity": node,
        "segment": segment,
        "plan": plan,
        "company": company,
        "version": version,
        "variant": variant,
        "language": language,
        "sentiment": sentiment,
        "since": since,
        "until": until,
    }
    wanted = urlencode({name: value for name, value in asked.items() if value})
    client.download(f"/products/{client.product}/feedback-export?{wanted}", to)
    show({"file": str(to), "bytes": to.stat().st_size}, as_json, f"{to} is written.")


def _lines(item: dict[str, Any]) -> list[str]:
    rating = "" if item["rating"] is None else f"  {stars(item['rating'])}"
    ref = ("~" if item.get("by_meaning") else "") + item["ref"]
    head = f"{ref:9} {item['said_at'][:10]}  {item['source_name'] or item['source_type']}{rating}"
    links = "".join(f"  -> {link['opportunity']}" for link in item["links"])
    return [f"{head}{links}", f"          {_cut(' '.join(_marked(item).split()))}"]


def _cut(text: str, width: int = 160) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _marked(item: dict[str, Any]) -> str:
    """The text from a little before its first match on."""
    text, matches = str(item["text"]), item["matches"]
    start = max(0, matches[0][0] - 40) if matches else 0
    return ("… " if start else "") + text[start:]


def show_feedback(
    ref: Annotated[str, typer.Argument(help="As FB-12.")],
    as_json: AsJson = False,
) -> None:
    """One voice in full, with what it is linked to."""
    client = connect()
    item = client.get(f"/products/{client.product}/feedback/{ref}")
    who = item["author_name"] or item["person"] or "anonymous"
    links = [f"  {link['opportunity']} {link['title']} (importance {link['importance']})" for link in item["links"]]
    remarks = [
        f"  {'answered' if one['kind'] == 'answer' else 'noted'} {one['created_at'][:10]} by {one['by']}: {one['text']}"
        for one in item["remarks"]
    ]
    picture = [f"A picture came with it: whytree feedback screenshot {ref} --to FILE"] if item["screenshot"] else []
    show(
        item, as_json, f"{item['ref']}  {who}, {item['said_at'][:16]}", "", item["text"], "", *picture, *links, *remarks
    )


def screenshot(
    ref: Annotated[str, typer.Argument(help="As FB-12.")],
    to: Annotated[Path | None, typer.Option(help="Save it here.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take it away for good; the words stay.")] = False,
    as_json: AsJson = False,
) -> None:
    """The picture that came with a voice."""
    if (to is None) == (not remove):
        raise CommandError("Say where to save it, with --to FILE, or --remove it.")
    client = connect()
    path = f"/products/{client.product}/feedback/{ref}/screenshot"
    if to is None:
        client.delete(path)
        show({"removed": True}, as_json, "The picture is gone; the words stay.")
    else:
        client.download(path, to)
        show({"file": str(to)}, as_json, f"{to} holds the picture.")


def note_feedback(
    ref: Annotated[str, typer.Argument(help="As FB-12.")],
    text: Annotated[str, typer.Argument(help="What the team is to know of it.")],
    as_json: AsJson = False,
) -> None:
    """A private note on a voice: it stays with the team."""
    client = connect()
    made = client.post(f"/products/{client.product}/feedback/{ref}/remarks", {"text": text})
    show(made, as_json, f"Noted on {ref.upper()}.")


def answer_feedback(
    ref: Annotated[str, typer.Argument(help="As FB-12.")],
    text: Annotated[str, typer.Argument(help="What they are answered.")],
    mail: Annotated[
        bool, typer.Option("--mail", help="Send it to all who said so and whose address is known.")
    ] = False,
    unproved: Unproved = False,
    as_json: AsJson = False,
) -> None:
    """The official answer to a voice, and to those that were merged with it."""
    client = connect()
    body = {"text": text, "kind": "answer", "by_mail": mail, "unproved": unproved}
    made = client.post(f"/products/{client.product}/feedback/{ref}/remarks", body)
    people = "1 person" if made["mailed"] == 1 else f"{made['mailed']:,} people"
    show(made, as_json, f"{ref.upper()} is answered{f', by mail to {people}' if made['mailed'] else ''}.")


def link_feedback(
    ref: Annotated[str, typer.Argument(help="As FB-12.")],
    opportunity: Annotated[str, typer.Argument(help="As OPP-3.")],
    quote: Annotated[str, typer.Option(help="The words that matter; the whole text when left out.")] = "",
    importance: Annotated[int, typer.Option(help="0 not important, 1 nice to have, 2 important, 3 critical.")] = 1,
    as_json: AsJson = False,
) -> None:
    """These words speak for this opportunity. Once more replaces what was linked before."""
    client = connect()
    item = client.post(
        f"/products/{client.product}/feedback/{ref}/links",
        {"opportunity": opportunity, "quote": quote, "importance": importance},
    )
    show(item, as_json, f"{item['ref']} speaks for {opportunity.upper()} now.")


def unlink_feedback(
    ref: Annotated[str, typer.Argument(help="As FB-12.")],
    opportunity: Annotated[str, typer.Argument(help="As OPP-3.")],
    as_json: AsJson = False,
) -> None:
    """Take a link off; the highlight stays."""
    client = connect()
    item = client.delete(f"/products/{client.product}/feedback/{ref}/links/{opportunity}")
    show(item, as_json, f"{item['ref']} speaks for {opportunity.upper()} no longer.")


def put_away(ref: Annotated[str, typer.Argument(help="As FB-12.")], as_json: AsJson = False) -> None:
    """Read, and nothing to link."""
    client = connect()
    item = client.post(f"/products/{client.product}/feedback/{ref}/put-away")
    show(item, as_json, f"{item['ref']} is put away.")


def tag_highlight(
    number: Annotated[int, typer.Argument(help="The highlight's number, as --json of its voice or talk shows it.")],
    tags: Annotated[list[str] | None, typer.Argument(help="Exactly these tags; none takes them off.")] = None,
    as_json: AsJson = False,
) -> None:
    """Sort marked words of a voice or a talk by tags."""
    client = connect()
    mark = client.put(f"/products/{client.product}/highlights/{number}", {"tags": tags or []})
    show(mark, as_json, f"“{plain(mark['quote'])}”: {plain(', '.join(mark['tags'])) or 'no tag'}.")
