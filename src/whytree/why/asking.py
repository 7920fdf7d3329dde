"""What the asker's clone adds to a question, on the command line's side: who wrote the lines, and those commits' words.

Only commit ids, line numbers, the path and messages travel; the text of the lines stays here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whytree.code.git import Clone, open_clone
from whytree.code.lines import FileLines, LineReader, Wanted
from whytree.code.reading import told_commit
from whytree.engines.blame import spans_of
from whytree.engines.gitlog import LogCommit, merged_through, unrelated
from whytree.engines.links_tickets import TicketRef, tracker_of_remote
from whytree.workspace.client import Client, CommandError

from .refs import CommitRef, LineRef, NotAReference, Ref, parse_ref

MOST_LINES = 20_000
_SNIFFED = 8_000


@dataclass(frozen=True)
class Question:
    """A reference, what goes to the server with it, and the text of its lines, which does not."""

    ref: Ref
    body: dict[str, Any]
    code: Sequence[tuple[int, str]] = ()
    clone: Clone | None = None


def read_question(typed: str, folder: Path) -> Question:
    """Understand what was typed in `folder`, and ask git there where it can tell more."""
    ref = _ref(typed, folder)
    if isinstance(ref, LineRef):
        return _about_lines(ref, folder)
    if isinstance(ref, CommitRef):
        return _about_commit(ref, folder)
    tracker = _tracker(folder) if isinstance(ref, TicketRef) and not ref.tracker else ""
    return Question(ref, {"ref": typed.strip(), "tracker": tracker})


def ask(client: Client, question: Question) -> dict[str, Any]:
    """The server's answer. Commits it has not read in yet are asked about again with their place in the history, unless
    somebody stated what they are for."""
    path = f"/products/{client.product}/why"
    answer: dict[str, Any] = client.post(path, question.body)
    commit = answer["commit"]
    if commit and not commit["known"] and question.clone and not _is_stated(answer):
        answer = client.post(path, _placed(question, question.clone))
    numbers = [number for number, _ in question.code]
    answer["code"] = [{"number": number, "text": text, "asked": True} for number, text in question.code] or answer[
        "code"
    ]
    if numbers:
        answer["lines"] = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"
    return answer


def _is_stated(answer: dict[str, Any]) -> bool:
    return bool(answer["explained"] and answer["links"] and answer["links"][0]["provenance"] == "stated")


def _ref(typed: str, folder: Path) -> Ref:
    """A file that is there needs no line number to be one."""
    path = folder / typed.strip()
    try:
        if typed.strip() and path.is_file():
            return LineRef(typed.strip())
        return parse_ref(typed)
    except (NotAReference, ValueError, OSError) as error:
        raise CommandError(str(error)) from error


# Lines ------------------------------------------------------------------------------------------------


def _about_lines(ref: LineRef, folder: Path) -> Question:
    """The server answers from the last reading where there is no such file here."""
    file = _find(ref, folder)
    if file is None:
        return Question(ref, {"ref": str(ref)})
    clone = open_clone(file)
    path = file.resolve().relative_to(clone.root.resolve()).as_posix()
    if not clone.head:
        raise CommandError(f"{path} is not committed yet: this repository has no commit. Commit it, then ask again.")
    text = _text(file, path)
    first, last = _within(ref, path, len(text))
    reader = LineReader(clone)
    lines = _read(reader, Wanted(path, first, last))
    placed = LineRef(path, ref.first, last if ref.first else 0)
    code = [(number, text[number - 1]) for number in range(first, last + 1)]
    return Question(placed, _body(placed, lines, reader, clone), code, clone)


def _find(ref: LineRef, folder: Path) -> Path | None:
    """Below the folder one is in, else below the top of its clone."""
    if ref.repository:
        return None
    here = folder / ref.path
    if here.is_file():
        return here
    if here.is_dir():
        raise CommandError(f"{ref.path} is a folder. Ask about a file in it: {ref.path.rstrip('/')}/NAME:12")
    try:
        there = open_clone(folder).root / ref.path
    except CommandError:
        return None
    return there if there.is_file() else None


def _text(file: Path, path: str) -> list[str]:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    if b"\0" in raw[:_SNIFFED]:
        raise CommandError(f"{path} is a binary file: its lines mean nothing. Ask about its commit: git log -1 {path}")
    lines = raw.decode("utf-8", "replace").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _within(ref: LineRef, path: str, size: int) -> tuple[int, int]:
    """First and last line meant, of those there are."""
    if not size:
        raise CommandError(f"{path} is empty: there is no line to ask about.")
    if ref.first > size:
        lines = "1 line" if size == 1 else f"{size:,} lines"
        raise CommandError(f"{path} has {lines}: there is no line {ref.first:,}.")
    return (ref.first, min(ref.last, size)) if ref.first else (1, size)


def _read(reader: LineReader, wanted: Wanted) -> FileLines:
    if wanted.last - wanted.first >= MOST_LINES:
        raise CommandError(
            f"{wanted.path} has more than {MOST_LINES:,} lines. Ask about some of them: {wanted.path}:1-200"
        )
    try:
        return reader.read(wanted)
    except CommandError as error:
        if "no such path" in error.message:
            raise CommandError(
                f"{wanted.path} is not committed yet: git does not know it. Commit it, then ask again."
            ) from error
        raise


def _body(ref: LineRef, file: FileLines, reader: LineReader, clone: Clone) -> dict[str, Any]:
    spans = spans_of((line.line, line.sha) for line in file.lines if line.sha not in clone.cut_off)
    cut_off = spans_of((line.line, "") for line in file.lines if line.sha in clone.cut_off)
    shas = list(dict.fromkeys(span.sha for span in spans))
    return {
        "ref": str(ref),
        "spans": [(span.start, span.end, span.sha) for span in spans],
        "commits": [_words(reader.facts[sha]) for sha in shas if sha in reader.facts],
        "cut_off": [(span.start, span.end) for span in cut_off],
        "looked_through": list(file.looked_through),
        "tracker": tracker_of_remote(clone.remote),
    }


# Commits ----------------------------------------------------------------------------------------------


def _about_commit(ref: CommitRef, folder: Path) -> Question:
    try:
        clone = open_clone(folder)
    except CommandError:
        return Question(ref, {"ref": ref.sha})
    sha = clone.ask("rev-parse", "--verify", "--quiet", f"{ref.sha}^{{commit}}")
    if not sha:
        return Question(ref, {"ref": ref.sha})
    words = [_words(commit) for commit in clone.commits([sha]).values()]
    body = {"ref": sha, "commits": words, "tracker": tracker_of_remote(clone.remote)}
    return Question(CommitRef(sha), body, clone=clone)


def _placed(question: Question, clone: Clone) -> dict[str, Any]:
    """The same question, saying of each commit which merge ended its branch, and whether its history is our own."""
    graph = clone.graph()
    merges, elsewhere = merged_through(graph, clone.head), unrelated(graph, clone.head)
    commits = [
        {**words, "merged_by": merges.get(words["sha"], ""), "unrelated": words["sha"] in elsewhere}
        for words in question.body["commits"]
    ]
    told = {words["sha"] for words in commits}
    missing = sorted({words["merged_by"] for words in commits} - told - {""})
    return {**question.body, "commits": [*commits, *map(_words, clone.commits(missing).values())]}


def _words(commit: LogCommit) -> dict[str, Any]:
    """A commit's own words; whom it touched and where it stands are the reading's business."""
    told = told_commit(commit)
    return {name: told[name] for name in ("sha", "authored_at", "subject", "body", "note", "author_name")}


def _tracker(folder: Path) -> str:
    try:
        return tracker_of_remote(open_clone(folder).remote)
    except CommandError:
        return ""
