"""Interviews from the command line: `whytree import interview FILE`, and `whytree interview ...`."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from whytree.engines.texts.personal import taken_out
from whytree.workspace.commands import AsJson
from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import plain, pour, say, show

PROBLEMS_SHOWN = 20
SHOWN = 40
Ref = Annotated[str, typer.Argument(help="The interview, as INT-3.")]
Mark = Annotated[int, typer.Argument(help="The highlight's number, as `whytree interview show` lists it.")]
Importance = Annotated[
    int, typer.Option(help="To them it is 0 not important, 1 nice to have, 2 important, 3 critical.")
]
#: What is known of a talk, by the API's names: each is an option.
ABOUT = {
    "person": Annotated[str | None, typer.Option(help="The id under which their events come in.")],
    "participant": Annotated[
        str | None, typer.Option("--with", help="What they are called; the only other speaker when left out.")
    ],
    "email": Annotated[str | None, typer.Option(help="Their e-mail address.")],
    "company": Annotated[str | None, typer.Option(help="Their company.")],
    "held_at": Annotated[str | None, typer.Option("--held", help="When, as 2026-03-02 14:00; now when left out.")],
    "interviewers": Annotated[
        list[str] | None, typer.Option("--by", help="Who of ours asked, by name; members are known. Again for more.")
    ],
    "segment": Annotated[str | None, typer.Option(help="Whom they stand for, as trial users.")],
    "consent": Annotated[str | None, typer.Option(help="none, internal (the default) or quotable.")],
    "media_url": Annotated[str | None, typer.Option("--media", help="Address of the recording; it is never copied.")],
    "guide": Annotated[str | None, typer.Option(help="Name of the guide it followed.")],
    "notes": Annotated[str | None, typer.Option(help="What else is to be known of the talk.")],
}


def _asks_about(command: Callable[..., None]) -> Callable[..., None]:
    """A command with an option for each part of `ABOUT`; those that were typed come to it as `about`."""

    @functools.wraps(command)
    def run(**typed: Any) -> None:
        command(about=_said(**{name: typed.pop(name) for name in ABOUT}), **typed)

    parts = []
    for part in inspect.signature(command).parameters.values():
        if part.name == "about":
            parts += [
                inspect.Parameter(name, part.KEYWORD_ONLY, default=None, annotation=ABOUT[name]) for name in ABOUT
            ]
        else:
            parts.append(part.replace(kind=part.KEYWORD_ONLY))
    run.__signature__ = inspect.Signature(parts)  # type: ignore[attr-defined]  # what typer reads
    return run


def register(group: Callable[[str], typer.Typer]) -> None:
    group("import").command("interview")(import_interview)
    for name, command in (
        ("list", list_interviews),
        ("search", search_interviews),
        ("show", show_interview),
        ("add", add),
        ("set", set_interview),
        ("transcript", transcript),
        ("edit", edit),
        ("highlight", highlight),
        ("unmark", unmark),
        ("link", link),
        ("unlink", unlink),
        ("remove", remove),
        ("snapshot", snapshot),
        ("map", joined_map),
        ("cadence", cadence),
    ):
        group("interview").command(name)(command)


def _said(**said: Any) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


@_asks_about
def import_interview(
    file: Annotated[
        Path, typer.Argument(help="A transcript: WebVTT, SRT, Whisper's JSON, or plain turns as “Ana: words”.")
    ],
    about: dict[str, Any],
    identity: Annotated[
        str, typer.Option("--id", help="Its id at the recorder's: another transcript under it replaces this one.")
    ] = "",
    into: Annotated[str, typer.Option(help="The interview that gets this transcript, as INT-3.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show how it would be read, and store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring in a talk from its transcript. The same transcript again brings nothing twice."""
    text = _read(file)
    client = connect()
    path = f"/products/{client.product}/interviews"
    said = {"transcript": text, "file_name": file.name}
    if dry_run:
        _tell_preview(client.post(f"{path}/preview", said), as_json)
        return
    if into:
        made = client.post(f"{path}/{into}/transcript", said)
        if about:
            made["interview"] = client.patch(f"{path}/{into}", about)
    else:
        made = client.post(path, {**said, **about, "source_id": identity})
    show(made, as_json, *_told(made))


def _read(file: Path) -> str:
    from whytree.engines.voices.transcripts import MOST_BYTES, Unreadable, decoded

    try:
        with file.open("rb") as opened:
            return decoded(opened.read(MOST_BYTES + 1))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except Unreadable as error:
        raise CommandError(str(error)) from error


def _told(made: dict[str, Any]) -> list[str]:
    interview, kept = made["interview"], made["highlights"]
    ref, who = interview["ref"], plain(interview["participant"] or interview["person"] or "somebody")
    state = {"new": "is in", "changed": "was changed", "known": "is known already: nothing new"}[made["state"]]
    lines = [f"{ref}, the talk with {who}, {state}."]
    if not interview["interviewers"]:
        lines.append(f"Nobody is known as interviewer. Say who: whytree interview set {ref} --by NAME")
    if made["redacted"]:
        lines.append(taken_out(made["redacted"]))
    if kept["lost"]:
        lines.append(f"{kept['lost']} highlights are lost: their words are not in it any more.")
    return [*lines, *_problems(made["problems"])]


def _problems(found: list[dict[str, Any]]) -> list[str]:
    lines = [f"  line {one['line']}: {plain(one['reason'])}" for one in found[:PROBLEMS_SHOWN]]
    more = [f"  and {len(found) - PROBLEMS_SHOWN} more; --json lists them."] if len(found) > PROBLEMS_SHOWN else []
    return ["Not read as it should be:", *lines, *more] if found else []


def _tell_preview(told: dict[str, Any], as_json: bool) -> None:
    ours = set(told["interviewers"])
    who = ", ".join(f"{plain(name)}{' (ours)' if name in ours else ''}" for name in told["speakers"])
    show(
        told,
        as_json,
        f"{told['format']}, {told['lines']:,} lines{', ' + told['language'] if told['language'] else ''}.",
        f"Speaking: {who or 'nobody is named'}.",
        *([taken_out(told["redacted"], ahead=True)] if told["redacted"] else []),
        *_problems(told["problems"]),
        "Nothing was stored. Leave out --dry-run to import.",
    )


def list_interviews(as_json: AsJson = False) -> None:
    """The talks, the latest first."""
    client = connect()
    found = client.get(f"/products/{client.product}/interviews")
    lines = [
        f"{one['ref']:7} {one['held_at'][:10]}  {plain(_who(one))}"
        + (f"  {', '.join(link['opportunity'] for link in one['links'])}" if one["links"] else "")
        for one in found
    ]
    show(found, as_json, *(lines or ["No interview yet: whytree import interview FILE"]))


def search_interviews(
    words: Annotated[list[str], typer.Argument(help='Words; "in quotes" as a phrase, -without this one.')],
    only_words: Annotated[
        bool, typer.Option("--only-words", help="Nothing that only means something like it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find talks by what was said in them, with the line where it was said; a tilde marks what only means it."""
    client = connect()
    asked = {"q": " ".join(words), "only_words": "true" if only_words else "false"}
    found = client.get(f"/products/{client.product}/interview-search", **asked)
    lines = [
        f"{'~' if one['by_meaning'] else ''}{one['ref']:7} {one['held_at'][:10]}  line {one['line']}  "
        f"{plain(one['speaker'])}: {plain(' '.join(one['excerpt'].split()))}"
        for one in found
    ]
    show(found, as_json, *(lines or ["Nobody said that in a talk. Try fewer words, or the beginning of one."]))


def _who(one: dict[str, Any]) -> str:
    return "(erased)" if one["erased"] else str(one["participant"] or one["person"] or "somebody")


def show_interview(ref: Ref, as_json: AsJson = False) -> None:
    """One talk: what was marked in it, what it speaks for, and its lines."""
    from whytree.engines.voices.transcripts import clock

    client = connect()
    one = client.get(f"/products/{client.product}/interviews/{ref}")
    if as_json:
        show(one, True)
        return
    say(f"{one['ref']} {plain(_who(one))}, {one['held_at'][:10]}", bold=True)
    for linked in one["links"]:
        say(f"Speaks for {linked['opportunity']} {plain(linked['title'])}: “{plain(linked['quote'])}”")
    for mark in one["highlights"]:
        tags = f"  [{plain(', '.join(mark['tags']))}]" if mark["tags"] else ""
        say(f"  {mark['id']:>5}  “{plain(mark['quote'])}”{'  (lost)' if mark['lost'] else ''}{tags}")
    for line in one["lines"]:
        time = clock(line["start_ms"]) if line["start_ms"] is not None else ""
        say(f"{line['number']:>4} {time:>7}  {plain(line['speaker'])}: {plain(line['text'])}")


@_asks_about
def add(about: dict[str, Any], as_json: AsJson = False) -> None:
    """A talk without a transcript: one that lies ahead, or one told from notes."""
    client = connect()
    made = client.post(f"/products/{client.product}/interviews", about)
    show(made, as_json, f"{made['interview']['ref']} is in, on {made['interview']['held_at'][:10]}.")


@_asks_about
def set_interview(ref: Ref, about: dict[str, Any], as_json: AsJson = False) -> None:
    """Change what is known of a talk; its evidence follows."""
    client = connect()
    if not about:
        raise CommandError("Say what to change, as --consent quotable.")
    one = client.patch(f"/products/{client.product}/interviews/{ref}", about)
    show(one, as_json, f"{one['ref']}: {plain(_who(one))}, {one['held_at'][:10]}, {one['consent']}.")


def transcript(ref: Ref, as_json: AsJson = False) -> None:
    """The transcript as rows to edit: `whytree interview transcript INT-3 > talk.txt`, then `edit`."""
    client = connect()
    told = client.get(f"/products/{client.product}/interviews/{ref}/transcript")
    if as_json:
        show(told, True)
    else:
        pour(told["text"] + "\n")


def edit(
    ref: Ref,
    file: Annotated[Path, typer.Argument(help="The whole transcript, as `whytree interview transcript` gives it.")],
    as_json: AsJson = False,
) -> None:
    """Correct the words of a transcript. Highlights go where their words go."""
    client = connect()
    kept = client.put(f"/products/{client.product}/interviews/{ref}/transcript", {"text": _read(file)})
    lost = f" {kept['lost']} are lost: their words are gone." if kept["lost"] else ""
    show(kept, as_json, f"{kept['stand']} highlights stand, {kept['corrected']} went along with corrected words.{lost}")


def highlight(
    ref: Ref,
    quote: Annotated[str, typer.Argument(help="The words, as they stand in the transcript.")] = "",
    first: Annotated[int | None, typer.Option("--from", help="The first line, by its number.")] = None,
    last: Annotated[int | None, typer.Option("--to", help="The last line; the first when left out.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; again for more.")] = None,
    to: Annotated[str, typer.Option("--for", help="The opportunity these words speak for, as OPP-3.")] = "",
    importance: Importance = 1,
    as_json: AsJson = False,
) -> None:
    """Mark words of a transcript, and with --for hang them on an opportunity."""
    client = connect()
    said = {
        "quote": quote,
        "first": first,
        "last": last,
        "tags": tag or [],
        "opportunity": to,
        "importance": importance,
    }
    mark = client.post(f"/products/{client.product}/interviews/{ref}/highlights", said)
    linked = f" It speaks for {to.upper()}." if to else ""
    show(mark, as_json, f"{mark['id']}: “{plain(mark['quote'])}” is marked.{linked}")


def unmark(ref: Ref, number: Mark, as_json: AsJson = False) -> None:
    """Take a highlight off; evidence stays."""
    client = connect()
    client.delete(f"/products/{client.product}/interviews/{ref}/highlights/{number}")
    show({"removed": number}, as_json, f"{number} is not marked any more.")


def link(
    ref: Ref,
    number: Mark,
    opportunity: Annotated[str, typer.Argument(help="The opportunity, as OPP-3.")],
    importance: Importance = 1,
    as_json: AsJson = False,
) -> None:
    """Hang marked words on an opportunity, as evidence of one person."""
    client = connect()
    path = f"/products/{client.product}/interviews/{ref}/highlights/{number}/link"
    one = client.post(path, {"opportunity": opportunity, "importance": importance})
    show(one, as_json, f"{one['ref']} speaks for {opportunity.upper()}.")


def unlink(
    ref: Ref, opportunity: Annotated[str, typer.Argument(help="The opportunity, as OPP-3.")], as_json: AsJson = False
) -> None:
    """Take a talk's evidence off an opportunity."""
    client = connect()
    one = client.delete(f"/products/{client.product}/interviews/{ref}/links/{opportunity}")
    show(one, as_json, f"{one['ref']} does not speak for {opportunity.upper()} any more.")


def remove(ref: Ref, as_json: AsJson = False) -> None:
    """Take out a talk that came in by mistake; not while it counts as evidence."""
    client = connect()
    client.delete(f"/products/{client.product}/interviews/{ref}")
    show({"removed": ref.upper()}, as_json, f"{ref.upper()} is out.")


def snapshot(
    ref: Ref,
    name: Annotated[str | None, typer.Option(help="What they are called.")] = None,
    photo: Annotated[Path | None, typer.Option(help="A small JPEG or PNG of them.")] = None,
    fact: Annotated[list[str] | None, typer.Option(help="A quick fact; again for more.")] = None,
    quote: Annotated[str | None, typer.Option(help="A memorable quote, as it stands in the transcript.")] = None,
    step: Annotated[
        list[str] | None, typer.Option(help="A step of the story they told; again for more, in their order.")
    ] = None,
    low: Annotated[list[int] | None, typer.Option(help="The step, by its place, where they felt bad.")] = None,
    high: Annotated[list[int] | None, typer.Option(help="The step, by its place, where they felt good.")] = None,
    opportunity: Annotated[
        list[str] | None, typer.Option(help="An opportunity heard, in words or as OPP-3; again for more.")
    ] = None,
    insight: Annotated[list[str] | None, typer.Option(help="What struck you; again for more.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a talk taught, in seven parts; with options, write those parts."""
    client = connect()
    path = f"/products/{client.product}/interviews/{ref}/snapshot"
    parts = _said(
        name=name,
        photo=_photo(photo) if photo else None,
        quick_facts="\n".join(fact) if fact else None,
        memorable_quote=quote,
        experience_map=_story(step, low or [], high or []) if step or low or high else None,
        opportunities="\n".join(opportunity) if opportunity else None,
        insights="\n".join(insight) if insight else None,
    )
    one = client.put(path, parts) if parts else client.get(path)
    if as_json:
        show(one, True)
        return
    say(f"{one['interview']} {plain(one['name'])}", bold=True)
    if one["memorable_quote"]:
        say(f"“{plain(one['memorable_quote'])}”")
    steps = [f"{place}. {words['step']}" for place, words in enumerate(one["experience_map"], start=1)]
    heard = [f"{each['opportunity']} {each['text']}".strip() for each in one["opportunities"]]
    for title, lines in (
        ("Quick facts", one["quick_facts"]),
        ("Experience map", steps),
        ("Opportunities", heard),
        ("Insights", one["insights"]),
    ):
        say(f"{title}:{'' if lines else ' none yet'}")
        for line in lines:
            say(f"  {plain(line)}")


def _story(steps: list[str] | None, low: list[int], high: list[int]) -> list[dict[str, str]]:
    if not steps or not {*low, *high} <= set(range(1, len(steps) + 1)) or {*low} & {*high}:
        raise CommandError("--low and --high name steps that you tell with --step, by their place from 1, each once.")
    felt = {**dict.fromkeys(low, "low"), **dict.fromkeys(high, "high")}
    return [{"step": words, "feeling": felt.get(place, "")} for place, words in enumerate(steps, start=1)]


def joined_map(
    segment: Annotated[str, typer.Option(help="Only of talks with these, as trial users.")] = "",
    as_json: AsJson = False,
) -> None:
    """The stories of all talks as one: which steps, how people felt, and what they speak for."""
    client = connect()
    found = client.get(f"/products/{client.product}/experience-map", segment=segment)
    lines = [
        f"{place:>3}. {plain(one['step'])}: {len(one['talks'])} told it, {one['high']} felt good, {one['low']} bad"
        + (f"  {' '.join(one['opportunities'])}" if one["opportunities"] else "")
        for place, one in enumerate(found["steps"], start=1)
    ]
    show(found, as_json, *(lines or ['No story yet: whytree interview snapshot INT-1 --step "It rains" --low 1']))


def _photo(file: Path) -> str:
    from whytree.engines.photos import NoPhoto, plain_photo

    try:
        return plain_photo(file.read_bytes())
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except NoPhoto as error:
        raise CommandError(str(error)) from error


def cadence(as_json: AsJson = False) -> None:
    """Weeks with a touchpoint: how steadily the team talks to its users."""
    client = connect()
    told = client.get(f"/products/{client.product}/interview-cadence")
    bars = [f"  {week['monday']}  {'■' * week['talks'] or '·'}" for week in told["weeks"]]
    show(told, as_json, told["sentence"], *bars)
