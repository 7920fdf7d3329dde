"""What is changed in the asker's clone and not committed, or not in a branch yet: whose lines it touches. On the command line's side."""

from pathlib import Path
from typing import Any

from whytree.code.blame.lines import LineReader, Wanted
from whytree.code.clone.files import find_revision
from whytree.code.clone.git import open_clone
from whytree.engines.git.blame import spans_of
from whytree.engines.git.changed import CHANGED_ARGUMENTS, changed_lines
from whytree.engines.links.tickets import tracker_of_remote
from whytree.workspace.terminal.client import CommandError

from ..asking.clone import words_of

MOST_FILES = 200
MOST_SPANS = 5_000  # as many as one question may hold


def base_of(typed: str, folder: Path) -> str:
    """The revision that "diff" or "diff:main" compares with; "" for anything else, a file of that name too."""
    word, _, base = typed.strip().partition(":")
    return base.strip() or "HEAD" if word == "diff" and not (folder / typed.strip()).exists() else ""


def read_change(base: str, folder: Path) -> dict[str, Any]:
    """The question about all lines that differ from `base`, with the commits they came with. Their text stays here."""
    clone = open_clone(folder)
    if not clone.head:
        raise CommandError("Nothing is committed here yet, so no change touches anybody's lines.")
    since = find_revision(clone, base)
    # A branch is compared with where it left the other one, as a pull request is.
    since = clone.ask("merge-base", since, "HEAD") or since
    touched = changed_lines(clone.read_bytes("-c", "core.quotePath=false", "diff", *CHANGED_ARGUMENTS, since, "--"))
    if not touched:
        raise CommandError(f"No line that was there at {base} is changed here. Say against what: diff:main")
    if len(touched) > MOST_FILES:
        raise CommandError(f"{len(touched):,} files are changed; ask about some of them: whytree improve app/")
    reader = LineReader(clone, since)
    wanted = {path: Wanted(path, runs[0][0], runs[-1][1]) for path, runs in touched.items()}
    read = reader.read_all(list(wanted.values()))
    lines = [
        (line.line, line.sha)
        for path, runs in touched.items()
        for line in read[wanted[path]].lines
        if line.sha not in clone.cut_off and any(first <= line.line <= last for first, last in runs)
    ]
    spans = spans_of(lines)
    if not spans:
        raise CommandError("What is changed here is older than this shallow clone reaches: git fetch --unshallow")
    if len(spans) > MOST_SPANS:
        raise CommandError("This change touches too many lines to ask about at once. Ask about a folder of it.")
    shas = dict.fromkeys(span.sha for span in spans)
    return {
        "ref": f"diff:{base}",
        "place": {"path": f"diff:{base}"},
        "at": since,
        "spans": [(span.start, span.end, span.sha) for span in spans],
        "commits": [words_of(reader.facts[sha]) for sha in shas if sha in reader.facts],
        "tracker": tracker_of_remote(clone.remote),
    }
