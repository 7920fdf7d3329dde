"""`whytree flag remove`: the removal of one flag from a clone's Python code, as a patch or written to its files."""

import difflib
import os
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from whytree.code.clone.git import Clone, exact_path, open_clone, shown_path
from whytree.code.scanning.flag_search import FlagSearch
from whytree.engines.code.flag_references import Reference
from whytree.engines.code.python.decided import Value
from whytree.engines.code.python.flags import FlagFinder, collect
from whytree.engines.code.python.names import Module
from whytree.engines.code.python.removal import Place
from whytree.engines.code.python.taking_out import Removal, take_out
from whytree.workspace.terminal.client import Client, CommandError
from whytree.workspace.terminal.printing import pour, say, tell

MOST_MODULES = 1500
MOST_NAMED = 8
PYTHON = (".py", ".pyi")


@dataclass
class Plan:
    """What a removal would do. `elsewhere` are references that no patch for Python takes out."""

    key: str
    keep: str
    clone: Clone
    removal: Removal
    elsewhere: list[Reference]

    @property
    def is_refused(self) -> bool:
        return bool(self.removal.refusals)

    @property
    def patch(self) -> str:
        """For `git apply`."""
        if self.is_refused:
            return ""
        return "".join(part for one in self.removal.changed for part in _diff(one.path, one.before, one.after or b""))

    def write(self) -> None:
        """Change the files; each is whole before it takes the old one's place."""
        for one in self.removal.changed:
            target = self.clone.root / one.path
            if target.is_symlink() or not target.parent.resolve().is_relative_to(self.clone.root.resolve()):
                raise CommandError(f"{shown_path(one.path)} is a link, or leads out of the clone. Change it by hand.")
            try:
                _replace(target, one.after or b"")
            except OSError as error:
                raise CommandError(f"{shown_path(one.path)} cannot be written: {error.strerror}.") from error

    def as_json(self, *, written: bool) -> dict[str, Any]:
        return {
            "key": self.key,
            "keep": self.keep,
            "refused": [_place(one) for one in self.removal.refusals],
            "files": []
            if self.is_refused
            else [{"path": shown_path(one.path), "edits": one.edits} for one in self.removal.changed],
            "notes": [_place(one) for one in self.removal.notes],
            "elsewhere": [{"path": shown_path(one.path), "line": one.line, "says": one.says} for one in self.elsewhere],
            "patch": self.patch,
            "written": written and not self.is_refused,
        }


def plan_removal(
    client: Client, key: str, keep: str, path: Path, *, only: Sequence[str] = (), readers: Sequence[str] = ()
) -> Plan:
    """The removal from the clone at `path`, whose files must be as they were committed."""
    flag = client.get(f"/products/{client.product}/flags/{key}")
    value = _value(flag, keep)
    clone = open_clone(path)
    if not clone.head:
        raise CommandError(f"{clone.root} has no commit yet. Commit something first.")
    search = FlagSearch(clone, [key])
    references = search.run(extinct=False).references
    finder = FlagFinder(search.project, [key], readers)
    holding = sorted({one.path for one in references if one.path.endswith(PYTHON)})

    def speaking_of(names: Collection[str]) -> list[tuple[str, bytes]]:
        return [(each, search.snapshot.text(each) or b"") for each in search.speaking_of(names)]

    modules = collect(
        search.project, finder, holding, lambda some: [each for each, _ in speaking_of(some)], MOST_MODULES
    )
    unreadable = [
        each for each in holding if search.project.module(each) is None and _is_within(each, clone, path, only)
    ]
    asking = [module.path for module in modules if _speaks(finder, module)]
    chosen = [each for each in [*asking, *unreadable] if _is_within(each, clone, path, only)]
    _refuse_unsaved(clone, chosen)
    sources = {each: _on_disk(clone, each) for each in chosen}
    removal = take_out(search.project, finder, sources, speaking_of, value=value)
    elsewhere = [one for one in references if one.path not in sources or not one.path.endswith(PYTHON)]
    return Plan(key, keep, clone, removal, elsewhere)


def on_half(client: Client, key: str) -> CommandError:
    """What to say where no flag, or no variant, was named: how, and which could be."""
    path = f"/products/{client.product}"
    if key:
        variants = client.get(f"{path}/flags/{key}")["variants"]
        ready = next((one for one in client.get(f"{path}/flag-retirements") if one["key"] == key and one["keep"]), None)
        known = f"What was decided: {ready['command']}" if ready else f"It has: {', '.join(variants)}."
        return CommandError(
            f"Which branch of {key} stays? whytree flag remove {key} --keep {next(iter(variants))}\n{known}"
        )
    how = "Take out which flag, and which branch of it stays? whytree flag remove KEY --keep on"
    if ready := client.get(f"{path}/flag-retirements", state="ready_to_remove"):
        return CommandError(
            "\n".join([how, "These can go now:", *(f"  {one['command']}" for one in ready[:MOST_NAMED])])
        )
    keys = [flag["key"] for flag in client.get(f"{path}/flags")]
    if not keys:
        return CommandError(f"{how}\nThis product has no flags yet. One that your code asks for: whytree flag add KEY")
    named = ", ".join(keys[:MOST_NAMED]) + (f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else "")
    return CommandError(f"{how}\nNone is decided yet. There are {named}; what each waits for: whytree flag list")


def _speaks(finder: FlagFinder, module: Module) -> bool:
    """Whether a module asks for the flag, names it, or mentions it."""
    return (
        any(True for _ in finder.asks(module))
        or any(True for _ in finder.definitions(module))
        or any(True for _ in finder.mentions(module))
    )


def _value(flag: dict[str, Any], keep: str) -> Value:
    """What code gets when it gets this variant."""
    variants = flag["variants"]
    if keep not in variants:
        raise CommandError(f"{flag['key']} has no variant {keep!r}. It has: {', '.join(variants)}.")
    value = variants[keep]
    if not isinstance(value, bool | str | int | float):
        raise CommandError(
            f"{flag['key']} gives objects: what code does with their parts cannot be seen. Do it by hand."
        )
    return value


def _is_within(path: str, clone: Clone, where: Path, only: Sequence[str]) -> bool:
    """Whether a file is one of those the person named, from the folder they are in or from the clone's top."""
    if not only:
        return True
    file = PurePosixPath(path)
    for name in only:
        for base in (Path.cwd(), clone.root):
            named = (base / name).resolve()
            if named.is_relative_to(clone.root.resolve()):
                wanted = PurePosixPath(named.relative_to(clone.root.resolve()).as_posix())
                if file == wanted or file.is_relative_to(wanted):
                    return True
    return False


def _refuse_unsaved(clone: Clone, paths: Sequence[str]) -> None:
    """A patch is against what was committed. Submodules are left alone: their settings may name programs, too."""
    arguments = ("--name-only", "-z", "--no-ext-diff", "--no-renames", "--ignore-submodules")
    changed = clone.read_bytes("diff", *arguments, "HEAD")
    unsaved = sorted(set(paths) & {exact_path(path) for path in changed.split(b"\0")})
    if unsaved:
        names = ", ".join(shown_path(path) for path in unsaved[:5])
        raise CommandError(
            f"Not committed yet: {names}. Commit or stash it first, so that you see what the removal does."
        )


def _on_disk(clone: Clone, path: str) -> bytes:
    try:
        return (clone.root / path).read_bytes()
    except OSError as error:
        raise CommandError(f"{shown_path(path)} cannot be read: {error.strerror}. Check it out first.") from error


def _diff(path: str, before: bytes, after: bytes) -> Iterator[str]:
    """As git writes it; a last line without an end says so."""
    name = shown_path(path)
    old, new = (text.decode("utf-8", "surrogateescape").splitlines(keepends=True) for text in (before, after))
    old, new = _only_newlines(old), _only_newlines(new)
    yield f"diff --git a/{name} b/{name}\n"
    for line in difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"):
        yield line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"


def _only_newlines(lines: list[str]) -> list[str]:
    """Lines as git counts them: other marks that Python takes for line ends are none."""
    return (
        "".join(lines).splitlines(keepends=True)
        if all("\x0c" not in one for one in lines)
        else [one + "\n" for one in "".join(lines).split("\n")]
    )


def _place(one: Place) -> dict[str, Any]:
    return {"path": shown_path(one.path), "line": one.line, "says": one.says}


def print_plan(plan: Plan, *, written: bool) -> None:
    """The patch to stdout, all else to stderr, so that one can pipe it on."""
    removal = plan.removal
    if plan.is_refused:
        tell(
            f"{plan.key} stays: {len(removal.refusals)} {'place is' if len(removal.refusals) == 1 else 'places are'} not sure.",
            err=True,
        )
        for one in removal.refusals:
            tell(f"  {shown_path(one.path)}:{one.line}  {one.says}", indent="        ", err=True)
        tell("Nothing was changed. Change these by hand, or name the files to change: --only PATH", err=True)
        return
    if not removal.changed:
        say(f"No Python code of this clone asks for {plan.key}.", err=True)
    elif written:
        for file in removal.changed:
            tell(f"{shown_path(file.path)}: {'; '.join(file.edits)}", indent="  ")
        say("Run your tests, look at it with git diff, and commit.", err=True)
    else:
        pour(plan.patch)
    for one in removal.notes:
        tell(f"  look: {shown_path(one.path)}:{one.line}  {one.says}", indent="        ", err=True)
    for reference in plan.elsewhere:
        tell(f"  left: {shown_path(reference.path)}:{reference.line}  {reference.says}", indent="        ", err=True)


def _replace(target: Path, content: bytes) -> None:
    """Through a file of a name that nobody could have put there before: what a clone holds is not to be trusted."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".whytree-")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        partial.chmod(target.stat().st_mode)
        partial.replace(target)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
