"""`whytree init`: a clone read for the first time, or again, on the command line's side.

The workspace is made when there is none, the history and the files are read, exports brought in, drafts proposed;
then ten links are asked about, and one sentence says how much of the code can already say whom it was for.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whytree.code.blame.ahead import ReadAhead
from whytree.code.clone.git import Clone, open_clone
from whytree.code.commands import import_file, progress
from whytree.code.scanning.reading import Found, Progress, Reading
from whytree.code.scanning.surveying import survey
from whytree.code.scanning.telling import identity
from whytree.engines.links.tickets import tracker_of_remote
from whytree.workspace.terminal import client as doors
from whytree.workspace.terminal.client import Client, CommandError, connect
from whytree.workspace.terminal.printing import plain, print_json, say, tell

from .asking_links import ask_links, print_links
from .shallow import tell_what_is_here


def begin(path: Path, *, tickets: Sequence[Path], sync: bool, name: str, questions: bool, as_json: bool) -> None:
    """Everything `init` does, in order. Nothing leaves the house but with `sync`, which asks the tracker."""
    started = time.monotonic()
    clone = open_clone(path)
    if clone.is_shallow:
        tell_what_is_here(clone, as_json=as_json)
        return
    root_sha, commits, missing = identity(clone), clone.count(), clone.missing_objects()
    if not as_json:
        tell(f"Reading {plain(clone.root.name)}: {_many(commits, 'commit')}.")
    with progress(quiet=as_json) as show, _reading_ahead(clone, 0 if missing else commits, show) as ahead:
        show("a place to keep it", 0, 0)
        client = _workspace(clone)
        slug, is_new = _product(client, clone, root_sha, name)
        client.product = slug
        repository = _register(client, clone, root_sha, name)
        show("tags, flags, decisions", 0, 0)
        surveyed = survey(clone)
        remarks = [*surveyed.left_out, *([_PARTIAL.format(count=missing)] if missing else [])]
        reading = Reading(
            client, clone, repository, show, ahead=ahead, after_commits=_first_word(is_new and not as_json)
        )
        found = reading.run(lines=not missing, remarks=remarks)
        base = f"/products/{client.product}"
        facts = {"root_sha": root_sha, "seconds": round(time.monotonic() - started, 1), **surveyed.body}
        client.post(f"{base}/repositories/{repository['id']}/survey", facts)
        imported = [import_file(client, file, show) for file in tickets]
        asked = _ask_tracker(client, clone, show) if sync else None
        show("drafts", 0, 0)
        drafts = client.post(
            f"{base}/drafts/propose",
            {"repository": repository["name"], "head": clone.head, "changes": surveyed.changes},
        )
    look = client.get(f"{base}/first-look", repository=repository["name"])
    look["seconds"] = round(time.monotonic() - started, 1)
    look["line"] = _line(clone, look["example"])
    if as_json:
        links = client.get(f"{base}/links", repository=repository["name"])
        print_json(
            {
                **look,
                "product": slug,
                "read": vars(found),
                "tickets_read": imported,
                "tracker": asked,
                "drafts": drafts,
                "ask": links,
            }
        )
        return
    for sentence in (*_told(slug if is_new else "", repository["name"], look, imported), *_asked(asked)):
        tell(sentence)
    _finish(client, repository["name"], look, drafts, questions=questions)


@contextmanager
def _reading_ahead(clone: Clone, commits: int, show: Progress) -> Iterator[ReadAhead | None]:
    """The lines of a long history, by a process of their own, while everything else is made ready and the commits read."""
    ahead = ReadAhead.begin(clone, commits, lambda done, total: show("history", done, total))
    try:
        yield ahead
    finally:
        if ahead:
            ahead.stop()


def _first_word(wanted: bool) -> Callable[[Found], None]:
    """What is known once the commits are read: whose lines are left takes longer."""

    def tell_it(found: Found) -> None:
        if wanted:
            tell(f"They name {_many(found.new_tickets, 'ticket') if found.new_tickets else 'no tickets'}.")

    return tell_it


_PARTIAL = (
    "This clone lacks {count:,} old versions of files (it is a partial clone), so its lines are not read and nothing was "
    "fetched. For them: git fetch --refetch --no-filter, then whytree init again."
)


def go_on(path: Path, *, as_json: bool) -> None:
    """Only the questions: those of this clone's repository."""
    clone = open_clone(path)
    client = connect()
    repository = _known(client, identity(clone))
    if repository is None:
        raise CommandError("This clone was not read yet. Read it first: whytree init")
    links = client.get(f"/products/{client.product}/links", repository=repository["name"])
    if as_json:
        print_json(links)
        return
    if not links:
        say("No link waits for an answer: all were stated, answered, or come from too few lines to matter.")
        return
    ask_links(client, links)


# Where to ----------------------------------------------------------------------------------------------


_NOBODYS = "owner@localhost.localdomain"


def _workspace(clone: Clone) -> Client:
    """The server or data folder in use; on a first run here, one with the clone's own user as its owner."""
    if doors.needs_an_owner():
        name = clone.ask("config", "user.name")
        email = clone.ask("config", "user.email")
        try:
            doors.make_first_owner(email=email or _NOBODYS, name=name)
        except CommandError:
            if not email:
                raise
            # git takes what we do not, such as ana@laptop; nothing is sent there before mail is set up.
            doors.make_first_owner(email=_NOBODYS, name=name)
    return connect()


def _product(client: Client, clone: Clone, root_sha: str, name: str) -> tuple[str, bool]:
    """The product that has this repository, else the one chosen, else the only one while it is empty, else a new one."""
    chosen = doors.chosen_product()
    if chosen:
        return chosen, False
    products = client.get("/products")
    of_clone = doors.product_of_clone(clone.root)
    slugs = sorted((product["slug"] for product in products), key=lambda slug: slug != of_clone)
    repositories = {slug: client.get(f"/products/{slug}/repositories") for slug in slugs}
    for slug in slugs:
        if any(one["root_sha"] == root_sha for one in repositories[slug]):
            return _noted(clone, slug), False
    if len(slugs) == 1 and not repositories[slugs[0]]:
        return _noted(clone, slugs[0]), False
    # The same place with another first commit: its history was rewritten, which is for a person to settle.
    called, tracker = _name(clone, name), tracker_of_remote(clone.remote)
    for slug in slugs:
        if any(one["name"] == called or (tracker and one["tracker"] == tracker) for one in repositories[slug]):
            return slug, False
    made: str = client.post("/products", {"name": _name(clone, name)})["slug"]
    return _noted(clone, made), True


def _noted(clone: Clone, slug: str) -> str:
    """Remembered in the clone's configuration, so that no command has to ask, also when there are more products later."""
    clone.ask("config", "--local", doors.PRODUCT_SETTING, slug)
    return slug


def _name(clone: Clone, name: str) -> str:
    return (name or clone.root.name).replace(":", "-")[:100]


def _known(client: Client, root_sha: str) -> dict[str, Any] | None:
    repositories: list[dict[str, Any]] = client.get(f"/products/{client.product}/repositories")
    return next((one for one in repositories if one["root_sha"] == root_sha), None)


def _register(client: Client, clone: Clone, root_sha: str, name: str) -> dict[str, Any]:
    known = _known(client, root_sha)
    if known is not None:
        return known
    body = {
        "name": _name(clone, name),
        "root_sha": root_sha,
        "tracker": tracker_of_remote(clone.remote),
    }
    registered: dict[str, Any] = client.post(f"/products/{client.product}/repositories", body)
    return registered


# What is said ------------------------------------------------------------------------------------------


def _told(made: str, name: str, look: dict[str, Any], imported: Sequence[dict[str, Any]]) -> Iterator[str]:
    if made:
        yield f"Made the product {plain(made)}."
    counts = [_many(look["heard"]["commits"], "commit"), _many(look["tickets"], "ticket")]
    counts += [_many(look[what], word) for what, word in _WORDS.items() if look[what]]
    yield f"Read {plain(name)} in {look['seconds']:.0f} s: {', '.join(counts)}. {_where_it_went()}"
    for one in imported:
        shape = f" ({one['shape']})" if one["shape"] else ""
        yield f"{plain(one['file'])}{shape}: {_many(one['new'], 'new ticket')}, {one['changed']:,} changed."
        yield from (f"  row {row['row']}: {plain(row['problem'])}" for row in one["refused"][:5])
    yield from (plain(sentence) for sentence in look["left_out"])


def _ask_tracker(client: Client, clone: Clone, show: Progress) -> dict[str, Any]:
    """What the tracker says; one that cannot be asked is told about, and costs nothing of the rest."""
    from whytree.code.trackers.sync import find_tracker, read_tracker

    try:
        tracker = find_tracker(clone.remote)
        if not tracker.token:
            raise CommandError(f"{tracker.name} was not asked: there is no token. Set GITHUB_TOKEN or GITLAB_TOKEN.")
        found = read_tracker(client, tracker, progress=show)
    except CommandError as error:
        return {"refused": error.message}
    return {**found.as_json(), "sentences": [*found.told.sentences(), *found.notes]}


def _asked(asked: dict[str, Any] | None) -> Iterator[str]:
    if asked is None:
        return
    if "refused" in asked:
        yield asked["refused"]
        return
    yield f"Asked {asked['tracker']} {_many(asked['requests'], 'time')}; the token stayed here."
    yield from asked["sentences"]


def _where_it_went() -> str:
    url = doors.options().url
    if not url:
        return "Nothing was sent anywhere."
    return f"Commit ids, paths, messages and the few lines that pages show went to {url}, and nowhere else."


_WORDS = {"flags": "flag", "releases": "release", "decisions": "decision record"}


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _finish(client: Client, name: str, look: dict[str, Any], drafts: dict[str, Any], *, questions: bool) -> None:
    links = client.get(f"/products/{client.product}/links", repository=name)
    if links and questions:
        say()
        if _is_terminal():
            ask_links(client, links)
            look |= client.get(f"/products/{client.product}/first-look", repository=name)
        else:
            print_links(links)
    say()
    tell(look["sentence"], bold=True)
    tell(look["how"])
    if drafts["open"]:
        tell(
            f"{_many(drafts['open'], 'draft')} of a tree, inferred from what was merged and asked for. See: whytree draft list"
        )
    say()
    for command, what in _next(look):
        if len(command) > _COMMAND_WIDTH:
            say(f"  {command}")
            command = ""
        tell(f"  {command:{_COMMAND_WIDTH}}  {what}", indent=" " * (_COMMAND_WIDTH + 4))


_COMMAND_WIDTH = 36


def _next(look: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if look["line"]:
        yield f"whytree why {plain(look['line'])}", "whom this line was for"
    if look["heard"]["requested_commits"]:
        yield "whytree init --sync", "what its pull requests were for; with a token of GitHub or GitLab"
    if look["tickets"] > look["tickets_with_words"]:
        yield "whytree init --tickets issues.json", "the words behind the numbers: an export, or --sync with a token"
    yield 'whytree start "#12"', "begin work with its why"
    yield "whytree serve", "the same in a browser; then: whytree sign-in"


def _line(clone: Clone, example: dict[str, Any] | None) -> str:
    """The example's most telling line: one that names something, not a bracket."""
    if example is None:
        return ""
    try:
        text = clone.read("cat-file", "blob", f"HEAD:{example['path']}").split("\n")
    except CommandError:
        text = []
    lines = range(example["first"], example["last"] + 1)
    best = max(lines, key=lambda number: _telling(text[number - 1] if number <= len(text) else ""))
    return f"{example['path']}:{best}"


_NAMES = ("def ", "class ", "function ", "func ", "fn ", "export ", "public ", "const ")


def _telling(line: str) -> int:
    words = line.strip()
    if words.startswith(("import ", "from ", "#", "//", "*", "/*", '"""')):
        return 1
    return 100 * words.startswith(_NAMES) + min(sum(letter.isalpha() for letter in words), 60)


def _is_terminal() -> bool:
    import sys

    return sys.stdin.isatty() and sys.stdout.isatty()
