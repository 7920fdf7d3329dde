"""The whole removal over a repository: every file that asks, then the imports and constants nobody uses any more."""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .decided import Value
from .flags import FlagFinder
from .leftovers import Search, is_taken_elsewhere, lost_names, without_statement, without_unused_imports
from .names import Project, word
from .removal import FileRemoval, Place, decoded, remove
from .source import Source, Unsure


@dataclass
class Removal:
    """Files with their new text, refused places, and places worth a look."""

    files: list[FileRemoval] = field(default_factory=list)
    refusals: list[Place] = field(default_factory=list)
    notes: list[Place] = field(default_factory=list)

    @property
    def changed(self) -> list[FileRemoval]:
        return [one for one in self.files if one.is_changed]


def take_out(
    project: Project,
    finder: FlagFinder,
    sources: Mapping[str, bytes],
    search: Search,
    *,
    value: Value,
) -> Removal:
    """Remove one flag from these files, keeping what happens while it gives `value`.

    `search` gives the other files in which a name stands, as they are on the disk.
    """
    files = [remove(project, finder, path, source, value=value) for path, source in sorted(sources.items())]
    result = Removal(files)
    for one in files:
        if one.after is not None and one.is_changed:
            _tidy(one, one.after, project, search)
        result.refusals += one.refusals
        result.notes += one.notes
    if not result.refusals:
        _drop_constants(result, project, finder, search)
    return result


def _tidy(file: FileRemoval, removed: bytes, project: Project, search: Search) -> None:
    """Unused imports go; a name that others take from here must not."""
    encoding, text = decoded(file.before)
    try:
        before, after = Source(file.path, text), Source(file.path, decoded(removed)[1])
        for name in sorted(lost_names(before.module, after.module)):
            if is_taken_elsewhere(file.path, name, project, search):
                line = getattr(before.module.top.names[name][0].node, "lineno", 1)
                raise Unsure(line, f"{name} is only defined in the branch that goes, and other files take it from here")
        after, gone = without_unused_imports(before, after, project, search)
    except Unsure as error:
        file.refusals.append(Place(file.path, error.line, error.why))
        file.after = None
        return
    file.edits += [f"the import of {name} went: nothing names it any more" for name in gone]
    file.after = after.text.decode("utf-8").encode(encoding)


def _drop_constants(result: Removal, project: Project, finder: FlagFinder, search: Search) -> None:
    """Module constants that only named the flag. Class attributes and enum members stay, and are told of."""
    texts = {one.path: one.after for one in result.files if one.after is not None}
    for file in result.files:
        if file.after is None:
            continue
        encoding, text = decoded(file.after)
        source = Source(file.path, text)
        for statement, alias in list(finder.definitions(source.module)):
            name = alias.rpartition(".")[2]
            if not isinstance(source.module.parents[statement], ast.Module) or "." in alias:
                says = f"{alias} still names it" + (
                    "" if _is_named(name, file.path, texts, search) else ", and nothing reads that"
                )
                result.notes.append(Place(file.path, statement.lineno, says))
            elif _is_named(name, file.path, texts, search) or is_taken_elsewhere(
                file.path, name, project, _as_changed(texts, search)
            ):
                result.notes.append(Place(file.path, statement.lineno, f"{alias} still names it"))
            else:
                current = _same(source, statement)
                if current is not None:
                    source = without_statement(source, current)
                    file.edits.append(f"the constant {alias} went: nothing names it any more")
        file.after = source.text.decode("utf-8").encode(encoding)


def _same(source: Source, statement: ast.stmt) -> ast.stmt | None:
    """The statement in a text that lost others since."""
    wanted = ast.dump(statement)
    return next((one for one in source.module.tree.body if ast.dump(one) == wanted), None)


def _is_named(name: str, path: str, texts: Mapping[str, bytes], search: Search) -> bool:
    """Whether the name stands anywhere but in its one definition; in the files as they will be."""
    pattern = word([name])
    here = len(pattern.findall(texts[path]))
    if here != 1:
        return True
    return any(other != path and pattern.search(text) for other, text in _as_changed(texts, search)([name]))


def _as_changed(texts: Mapping[str, bytes], search: Search) -> Search:
    def changed(names: Collection[str]) -> list[tuple[str, bytes]]:
        return [(path, texts.get(path, text)) for path, text in search(names)]

    return changed
