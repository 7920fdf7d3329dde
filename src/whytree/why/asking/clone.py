"""What the asker's clone adds to a question, on the command line's side: who wrote the lines, and those commits' words.

Only commit ids, line numbers, the path and messages travel; the text of the lines stays here.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from whytree.code.blame.cache import remembered
from whytree.code.blame.lines import FileLines, LineReader, Wanted
from whytree.code.clone.git import Clone, open_clone
from whytree.code.scanning.telling import find_registered, told_commit
from whytree.engines.git.blame import spans_of
from whytree.engines.git.log import LogCommit, stands_on
from whytree.engines.links.tickets import TicketRef, tracker_of_remote
from whytree.workspace.terminal.client import Client, CommandError

from ..refs import CommitRef, FolderRef, LineRef, NotAReference, Ref, parse_ref
from .places import Placed, place_folder, place_lines

_MOST_BELOW = 100  # commits that one goes on from; a branch has one or two


@dataclass(frozen=True)
class Question:
    """A reference, what goes to the server with it, and the text of its lines, which does not."""

    ref: Ref
    body: dict[str, Any]
    code: Sequence[tuple[int, str]] = ()
    clone: Clone | None = None


def read_question(typed: str, folder: Path, at: str = "") -> Question:
    """Understand what was typed in `folder`, and ask git there where it can tell more. `at`: as of this revision."""
    ref = _ref(typed, folder)
    if isinstance(ref, LineRef):
        return _about_lines(ref, folder, at)
    if isinstance(ref, FolderRef):
        return _about_folder(ref, folder, at)
    if at:
        raise CommandError("--at is for lines: whytree why app/form.py:42 --at v1.2")
    if isinstance(ref, CommitRef):
        return _about_commit(ref, folder)
    tracker = _tracker(folder) if isinstance(ref, TicketRef) and not ref.tracker else ""
    return Question(ref, {"ref": typed.strip(), "tracker": tracker})


def ask(client: Client, question: Question) -> dict[str, Any]:
    """The server's answer. Commits it has not read in yet are asked about again with their place in the history, unless
    somebody stated what they are for."""
    path = f"/products/{client.product}/why"
    if isinstance(question.ref, FolderRef) and question.clone:
        named, head = _named(client, question.ref, question.clone)
        answer: dict[str, Any] = client.post(path, {"ref": named})
        answer["notes"] += _since_reading(question.clone, head)
        return answer
    answer = client.post(path, question.body)
    if isinstance(question.ref, LineRef) and question.clone is None and answer["commit"]:
        answer["notes"].append(f"No clone here has it: as {answer['commit']['repository']} was last read in.")
    commit = answer["commit"]
    if commit and not commit["known"] and question.clone and not _is_stated(answer):
        answer = client.post(path, _placed(client, question, question.clone))
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
    """A file or a folder that is there needs no line number to be one, and may be called anything."""
    text = typed.strip()
    try:
        if text and (folder / text).is_dir():
            return FolderRef(text)
        if text and (folder / text).is_file():
            return LineRef(text)
        ref = parse_ref(typed)
        if isinstance(ref, LineRef) and ref.repository and (folder / f"{ref.repository}:{ref.path}").is_file():
            return replace(ref, path=f"{ref.repository}:{ref.path}", repository="")
        return ref
    except (NotAReference, ValueError, OSError) as error:
        if sha := _revision(text, folder):
            return CommitRef(sha)
        raise CommandError(str(error)) from error


def _revision(text: str, folder: Path) -> str:
    """The commit that git knows by a name: HEAD~1, a tag, a branch; "" for none."""
    if not text or "\0" in text:
        return ""
    try:
        clone = open_clone(folder)
    except CommandError:
        return ""
    return clone.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")


# Lines ------------------------------------------------------------------------------------------------


def _about_lines(ref: LineRef, folder: Path, at: str) -> Question:
    """The server answers from the last reading where no clone here has such a file."""
    placed = place_lines(ref, folder, at)
    if placed is None:
        return Question(ref, {"ref": str(ref)})
    known = remembered(placed.clone, placed.revision, placed.ref.path, placed.raw)
    reader = LineReader(placed.clone, placed.revision, known)
    lines = _read(reader, placed)
    code = [(number, placed.text[number - 1]) for number in range(placed.first, placed.last + 1)]
    return Question(placed.ref, _body(placed, lines, reader), code, placed.clone)


def _read(reader: LineReader, placed: Placed) -> FileLines:
    path = placed.ref.path
    try:
        return reader.read(Wanted(path, placed.first, placed.last))
    except CommandError as error:
        if "no such path" in error.message:
            raise CommandError(
                f"{path} is not committed yet: git does not know it. Commit it, then ask again."
            ) from error
        raise


def _body(placed: Placed, file: FileLines, reader: LineReader) -> dict[str, Any]:
    clone, ref, gone = placed.clone, placed.ref, placed.deletion
    spans = spans_of((line.line, line.sha) for line in file.lines if line.sha not in clone.cut_off)
    cut_off = spans_of((line.line, "") for line in file.lines if line.sha in clone.cut_off)
    shas = list(dict.fromkeys(span.sha for span in spans))
    commits = [words_of(reader.facts[sha]) for sha in shas if sha in reader.facts]
    if gone and gone.sha not in shas:
        commits += map(words_of, clone.commits([gone.sha]).values())
    return {
        "ref": str(ref),
        "place": {"path": ref.path, "first": ref.first, "last": ref.last, "symbol": ref.symbol},
        "at": placed.revision,
        "gone": asdict(gone) if gone else None,
        "spans": [(span.start, span.end, span.sha) for span in spans],
        "commits": commits,
        "cut_off": [(span.start, span.end) for span in cut_off],
        "looked_through": list(file.looked_through),
        "tracker": tracker_of_remote(clone.remote),
    }


# Folders ----------------------------------------------------------------------------------------------


def _about_folder(ref: FolderRef, folder: Path, at: str) -> Question:
    if at:
        raise CommandError("--at is for a file. A folder is told as it was last read in.")
    placed = place_folder(ref, folder)
    if placed is None:
        return Question(ref, {"ref": str(ref)})
    clone, ref = placed
    return Question(ref, {"ref": str(ref)}, clone=clone)


def _named(client: Client, ref: FolderRef, clone: Clone) -> tuple[str, str]:
    """The folder with its repository's name, so that no other one's answers; and how far that was read."""
    known = find_registered(client, clone)
    if known is None:
        raise CommandError(
            f"A folder is told from the last reading, and this clone was never read in: whytree repository add {clone.root}"
        )
    return str(replace(ref, repository=known["name"])), known["head"]


def _since_reading(clone: Clone, head: str) -> list[str]:
    if not head or head == clone.head:
        return []
    newer = clone.ask("rev-list", "--count", f"{head}..HEAD")
    many = "1 commit here is" if newer == "1" else f"{newer} commits here are"
    count = f"{many} newer than that" if newer else "This clone's history is another one by now"
    return [f"As last read in, at {head[:7]}. {count}: whytree repository sync"]


# Commits ----------------------------------------------------------------------------------------------


def _about_commit(ref: CommitRef, folder: Path) -> Question:
    try:
        clone = open_clone(folder)
    except CommandError:
        return Question(ref, {"ref": ref.sha})
    sha = clone.ask("rev-parse", "--verify", "--quiet", f"{ref.sha}^{{commit}}")
    if not sha:
        return Question(ref, {"ref": ref.sha})
    words = [words_of(commit) for commit in clone.commits([sha]).values()]
    body = {"ref": sha, "commits": words, "tracker": tracker_of_remote(clone.remote)}
    return Question(CommitRef(sha), body, clone=clone)


def _placed(client: Client, question: Question, clone: Clone) -> dict[str, Any]:
    """The same question, saying of each commit which merge ended its branch, and whether its history is our own.

    Only what nobody read in before is looked at, a few commits of many thousands mostly.
    """
    since = [one["head"] for one in client.get(f"/products/{client.product}/repositories") if one["head"]]
    graph = clone.graph(since)
    merges = clone.merged_through(graph, since)
    commits = []
    for words in question.body["commits"]:
        below = stands_on(graph, clone.head, words["sha"])
        place = {"merged_by": merges.get(words["sha"], ""), "unrelated": below == ()}
        commits.append({**words, **place, "stands_on": (below or ())[:_MOST_BELOW]})
    told = {words["sha"] for words in commits}
    missing = sorted({words["merged_by"] for words in commits} - told - {""})
    return {**question.body, "commits": [*commits, *map(words_of, clone.commits(missing).values())]}


def words_of(commit: LogCommit) -> dict[str, Any]:
    """A commit's own words; whom it touched and where it stands are the reading's business."""
    told = told_commit(commit)
    return {name: told[name] for name in ("sha", "authored_at", "subject", "body", "note", "author_name")}


def _tracker(folder: Path) -> str:
    try:
        return tracker_of_remote(open_clone(folder).remote)
    except CommandError:
        return ""
