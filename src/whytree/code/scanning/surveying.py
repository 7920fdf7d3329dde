"""Look through a clone's files for what they say about why: flags asked for, decision records, changelogs, owners,
releases.

On the command line's side. What cannot be read is a sentence in `left_out`; the rest is told all the same.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from whytree.engines.code.decision_records import is_decision_path, parse_decision
from whytree.engines.code.flag_calls import PREFILTER, flag_calls, is_code, is_test
from whytree.engines.code.owners import OWNERS_PLACES, parse_owners
from whytree.engines.git.log import decode
from whytree.engines.texts.changelogs import changes_in, is_changelog
from whytree.workspace.terminal.client import CommandError

from ..clone.git import Clone, exact_path, shown_path, split_lines

# A survey as it is stored with a repository: {"version", "head", "releases", "newest_release", "flags", "decisions",
# "changes", "tree", "owners"}.
VERSION = 1
# A survey is a page's worth, not an index.
MOST_FLAGS = 300
MOST_PLACES = 5
MOST_DECISIONS = 500
MOST_OWNERS = 500
MOST_CHANGES = 600
MOST_TREES = 20
_SMALL = 1 << 20
_LFS = b"version https://git-lfs"


@dataclass
class Survey:
    """What was found, as the server takes it, what changelogs say is new (used once, for drafts), and sentences on what
    could not be read."""

    body: dict[str, Any]
    changes: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def survey(clone: Clone) -> Survey:
    """Everything the files and tags of HEAD say."""
    found = Survey({"version": VERSION})
    paths = [exact_path(path) for path in clone.read_bytes("ls-tree", "-r", "--name-only", "-z", "HEAD").split(b"\0")]
    tags = _releases(clone)
    found.body["releases"] = len(tags)
    found.body["newest_release"] = tags[0] if tags else ""
    found.body["flags"] = _flags(clone, found)
    found.body["decisions"] = list(_decisions(clone, [path for path in paths if is_decision_path(path)], found))
    found.changes = list(islice(_changes(clone, paths), MOST_CHANGES))
    found.body["tree"] = _tree(clone, paths)
    found.body["owners"] = _owners(clone, paths, found)
    _remark_on_what_is_elsewhere(clone, paths, found)
    return found


def _releases(clone: Clone) -> list[str]:
    """Tags that look like versions, the newest first."""
    listed = clone.ask("tag", "--list", "--sort=-creatordate", "--merged", "HEAD")
    return [tag for tag in listed.splitlines() if any(letter.isdigit() for letter in tag)]


def _flags(clone: Clone, found: Survey) -> list[dict[str, Any]]:
    """Keys by how many places ask for them; a key that only tests name is left out."""
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    how: dict[str, str] = {}
    try:
        for path, number, line in _grep(clone):
            for call in flag_calls(line, path):
                places[call.key].append((path, number))
                how.setdefault(call.key, call.how)
    except CommandError as error:
        found.left_out.append(f"Flags in code could not be looked for: {error.message}")
    kept = {key: where for key, where in places.items() if not all(is_test(path) for path, _ in where)}
    ordered = sorted(kept, key=lambda key: (-len(kept[key]), key))[:MOST_FLAGS]
    return [
        {"key": key, "how": how[key], "count": len(kept[key]), "places": _first_places(kept[key])} for key in ordered
    ]


def _first_places(places: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(places, key=lambda place: (is_test(place[0]), place))[:MOST_PLACES]


def _grep(clone: Clone) -> Iterator[tuple[str, int, str]]:
    """Lines of code at HEAD that may ask for a flag: path, number, text. git does the looking."""
    output = clone.stream("grep", "-I", "-n", "-z", "--full-name", "-E", "-e", PREFILTER, "HEAD")
    try:
        for raw in split_lines(output):
            # With -z a path and a number end in NUL, so that any path can be read.
            place, _, rest = raw.partition(b"\0")
            number, _, line = rest.partition(b"\0")
            path = shown_path(exact_path(place.partition(b":")[2]))
            if number.isdigit() and is_code(path):
                yield path, int(number), decode(line)
    except CommandError as error:
        if "gave no reason" not in error.message:  # exit code 1: nothing found
            raise


def _decisions(clone: Clone, paths: list[str], found: Survey) -> Iterator[dict[str, str]]:
    """Each record that can be read; one that cannot does not hide the others."""
    unread = []
    for path in paths[:MOST_DECISIONS]:
        text = _text(clone, path)
        record = parse_decision(shown_path(path), text) if text is not None else None
        if record is None:
            unread.append(shown_path(path))
        else:
            yield {"path": record.path, "title": record.title, "status": record.status, "date": record.date}
    if unread:
        more = f" and {len(unread) - 3} more" if len(unread) > 3 else ""
        found.left_out.append(f"Not readable as decision records: {', '.join(unread[:3])}{more}.")


def _changes(clone: Clone, paths: list[str]) -> Iterator[dict[str, Any]]:
    """What the changelogs say is new, by the line where it stands; mostly the newest first."""
    for path in filter(is_changelog, paths):
        for change in changes_in(_text(clone, path) or ""):
            yield {"path": shown_path(path), "line": change.line, "title": change.title, "refs": change.refs[:5]}


def _tree(clone: Clone, paths: list[str]) -> str:
    """The tree that the team keeps beside its code, as `whytree export tree` writes it; empty where it keeps none."""
    likely = [path for path in paths if path.endswith(".json") and ("tree" in path or "why" in path)]
    texts = ((path, _text(clone, path) or "") for path in likely[:MOST_TREES])
    return next((shown_path(path) for path, text in texts if text.lstrip("{ \n").startswith('"whytree_tree"')), "")


def _owners(clone: Clone, paths: list[str], found: Survey) -> list[tuple[str, list[str]]]:
    for place in OWNERS_PLACES:
        if place in paths and (text := _text(clone, place)) is not None:
            return [(pattern[:300], owners[:20]) for pattern, owners in parse_owners(text)][:MOST_OWNERS]
    return []


def _text(clone: Clone, path: str) -> str | None:
    """A small file's text at HEAD; None for what is no text, or not in this clone."""
    try:
        raw = clone.read_bytes("cat-file", "blob", f"HEAD:{path}")
    except CommandError:
        return None
    if b"\0" in raw[:8000] or len(raw) > _SMALL or raw.startswith(_LFS):
        return None
    return decode(raw)


def _remark_on_what_is_elsewhere(clone: Clone, paths: list[str], found: Survey) -> None:
    """Submodules and large files that only a pointer of is here."""
    modules = clone.ask("config", "--blob", "HEAD:.gitmodules", "--get-regexp", r"\.path$").splitlines()
    if modules:
        own = "One submodule is a repository of its own. Read it"
        if len(modules) > 1:
            own = f"{len(modules):,} submodules are repositories of their own. Read them"
        found.left_out.append(f"{own} there: whytree init {modules[0].split()[-1]}")
    if ".gitattributes" in paths and "filter=lfs" in (_text(clone, ".gitattributes") or ""):
        found.left_out.append("Files kept by Git LFS are pointers in the history, so their lines are left out.")
