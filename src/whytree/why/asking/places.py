"""Where the lines are that somebody asked about: in which clone, at which revision, from which to which. On the command
line's side; git and the file's own text decide."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from whytree.code.clone.files import Deletion, bytes_at, find_deletion, find_revision, kind_at, text_lines
from whytree.code.clone.git import Clone, open_clone
from whytree.workspace.terminal.client import CommandError

from ..refs import FolderRef, LineRef

MOST_LINES = 20_000
MOST_BYTES = 50_000_000


@dataclass(frozen=True)
class Placed:
    """Lines of one file: as it stands, or as it stood at `revision`. `deletion`: it is gone since."""

    clone: Clone
    ref: LineRef
    text: Sequence[str]
    raw: bytes
    first: int
    last: int
    revision: str = ""
    deletion: Deletion | None = None


def place_lines(ref: LineRef, folder: Path, at: str) -> Placed | None:
    """The lines meant by what was typed in `folder`; None where no clone here knows such a file."""
    if "\\" in ref.path and not (folder / ref.path).exists():
        raise CommandError(f"Write the path with /, from the top of your clone: {_with_slashes(ref)}")
    if ref.repository:
        if at:
            raise CommandError(
                f"--at asks git, so it needs the clone. Go into {ref.repository}'s, and leave its name out."
            )
        return None
    if not at and (here := _file_here(ref, folder)):
        return here
    clone = _clone_around(folder / ref.path, folder)
    if clone is None or not clone.head:
        if at:
            raise CommandError("--at asks git, so it needs a clone. Go into yours.")
        return None
    revision = find_revision(clone, at) if at else clone.head
    for path in _paths(clone, ref, folder):
        kind = kind_at(clone, revision, path)
        if kind == "file":
            return _as_it_stood(clone, replace(ref, path=path), revision)
        if kind:
            instead = f"Ask about {path}/ or a file in it." if kind == "a folder" else "Ask about a file of its own."
            raise CommandError(f"{path} is {kind} at {revision[:7]}: it has no lines. {instead}")
        _refuse_below_submodule(clone, revision, path)
    gone = _gone(clone, ref, folder)
    if at:
        raise CommandError(_not_there(ref, revision, gone))
    return gone and _as_it_stood(clone, replace(ref, path=gone[0]), f"{gone[1].sha}^", gone[1])


def place_folder(ref: FolderRef, folder: Path) -> tuple[Clone, FolderRef] | None:
    """A folder of a clone, by its path from the clone's top; None where there is none here."""
    here = folder / ref.path if ref.path else folder
    if ref.repository or not here.is_dir():
        return None
    clone = open_clone(here)
    path = here.resolve().relative_to(clone.root.resolve()).as_posix()
    return clone, FolderRef("" if path == "." else path)


# Files that are here ----------------------------------------------------------------------------------


def _file_here(ref: LineRef, folder: Path) -> Placed | None:
    """Below the folder one is in, else below the top of its clone."""
    file = folder / ref.path
    if not file.is_file():
        top = _clone_around(folder, folder)
        file = top.root / ref.path if top else file
        if not file.is_file():
            return None
    clone = open_clone(file)
    root = clone.root.resolve()
    target = file.resolve()
    if not target.is_relative_to(root):
        raise CommandError(
            f"{ref.path} is a symbolic link out of this clone, to {str(target)!r}. Ask about that file in its own."
        )
    path = target.relative_to(root).as_posix()
    if not clone.head:
        raise CommandError(f"{path} is not committed yet: this repository has no commit. Commit it, then ask again.")
    return _lines(clone, replace(ref, path=path), _bytes_of(target, path), "")


def _bytes_of(file: Path, path: str) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise CommandError(
                f"{path} has more than {MOST_BYTES // 1_000_000} MB: that is data. Ask about its commit."
            )
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def _lines(clone: Clone, ref: LineRef, raw: bytes, revision: str, deletion: Deletion | None = None) -> Placed:
    text = text_lines(raw, ref.path)
    if not text:
        raise CommandError(f"{ref.path} is empty: there is no line to ask about.")
    first, last = _within(clone, ref, text, revision)
    if ref.first or ref.symbol:
        ref = replace(ref, first=first, last=last)
    if last - first >= MOST_LINES:
        raise CommandError(f"{ref.path} has more than {MOST_LINES:,} lines. Ask about some of them: {ref.path}:1-200")
    return Placed(clone, ref, text, raw, first, last, revision, deletion)


def _within(clone: Clone, ref: LineRef, text: Sequence[str], revision: str) -> tuple[int, int]:
    """First and last line meant, of those there are."""
    if ref.symbol:
        from whytree.code.clone.functions import find_function

        return find_function(clone, revision, ref.path, text, ref.symbol)
    if ref.first > len(text):
        lines = "1 line" if len(text) == 1 else f"{len(text):,} lines"
        when = f" at {revision[:7]}" if revision else ""
        raise CommandError(f"{ref.path} has {lines}{when}: there is no line {ref.first:,}.")
    return (ref.first, min(ref.last, len(text))) if ref.first else (1, len(text))


# Files that were --------------------------------------------------------------------------------------


def _as_it_stood(clone: Clone, ref: LineRef, revision: str, deletion: Deletion | None = None) -> Placed:
    return _lines(clone, ref, bytes_at(clone, revision, ref.path), clone.read("rev-parse", revision), deletion)


def _clone_around(path: Path, folder: Path) -> Clone | None:
    """The clone of a path that need not be there any more, else of the folder one is in."""
    for above in (*path.parents, folder):
        try:
            if above.is_dir():
                return open_clone(above)
        except (CommandError, OSError):
            break
    try:
        return open_clone(folder)
    except CommandError:
        return None


def _paths(clone: Clone, ref: LineRef, folder: Path) -> Iterator[str]:
    """What was typed, from the top of the clone: read from the folder one is in, then from the top."""
    root = clone.root.resolve()
    for base in (folder.resolve(), root):
        path = Path(os.path.normpath(base / ref.path))
        if path.is_relative_to(root) and path != root:
            yield path.relative_to(root).as_posix()


def _refuse_below_submodule(clone: Clone, revision: str, path: str) -> None:
    for above in PurePosixPath(path).parents:
        if above.name and kind_at(clone, revision, above.as_posix()) == "a submodule":
            raise CommandError(
                f"{above} is a submodule. Check it out (git submodule update --init {above}), and ask in it."
            )


def _gone(clone: Clone, ref: LineRef, folder: Path) -> tuple[str, Deletion] | None:
    for path in _paths(clone, ref, folder):
        if deletion := find_deletion(clone, path):
            return path, deletion
    return None


def _with_slashes(ref: LineRef) -> str:
    """`C:\\app\\form.py` -> `app/form.py`"""
    path = ref.path.replace("\\", "/")
    return str(replace(ref, path=path[2:] if path[1:2] == ":" else path)).lstrip("/")


def _not_there(ref: LineRef, revision: str, gone: tuple[str, Deletion] | None) -> str:
    since = f" It is gone since {gone[1].sha[:7]}." if gone else ""
    return f"{ref.path} is not there at {revision[:7]}.{since} See where it was: git log --oneline -- {ref.path}"
