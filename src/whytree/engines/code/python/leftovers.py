"""What a removal leaves behind: imports and constants nobody uses, and names whose meaning it would change."""

import ast
import re
import symtable
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from .names import Module, Project, word
from .source import Source, Span, Unsure

_KEEP = re.compile(rb"#\s*(?:noqa|type:|isort|pylint|nopep8)", re.IGNORECASE)
# Reads the Python files of the repository in which any of some names stands: (path, text).
Search = Callable[[Collection[str]], Iterable[tuple[str, bytes]]]


# What must not change -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Facts:
    """A function, class or module: the names it binds, those it only reads, and whether it is a generator."""

    line: int
    bound: frozenset[str]
    read: frozenset[str]
    yields: bool


def refuse_changed_scopes(before: Source, after: Source) -> None:
    """`Unsure` when a name would mean something else, or a generator become a plain function."""
    was, now = _facts(before), _facts(after)
    for name, facts in now.items():
        earlier = was.get(name)
        if earlier is None:
            continue
        what = name[-1].split("#")[0] if len(name) > 1 else "this module"
        lost = (earlier.bound - facts.bound) & facts.read
        if lost:
            raise Unsure(
                earlier.line, f"{sorted(lost)[0]} is only set in the branch that goes, and {what} still reads it"
            )
        if earlier.yields != facts.yields:
            raise Unsure(earlier.line, f"{what} would be no generator any more")


def _facts(source: Source) -> dict[tuple[str, ...], _Facts]:
    """By the path of names that leads to each scope; several of one name are counted."""
    yields = {
        (node.name, node.lineno): any(_own_yields(node))
        for node in source.module.nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    found: dict[tuple[str, ...], _Facts] = {}

    def visit(table: symtable.SymbolTable, path: tuple[str, ...]) -> None:
        symbols = table.get_symbols()
        bound = {one.get_name() for one in symbols if one.is_assigned() or one.is_imported() or one.is_parameter()}
        read = {one.get_name() for one in symbols if one.is_referenced()}
        line = table.get_lineno()
        is_generator = yields.get((table.get_name(), line), False)
        found[path] = _Facts(line or 1, frozenset(bound), frozenset(read), is_generator)
        seen: dict[str, int] = {}
        for child in table.get_children():
            if child.get_type() not in ("function", "class") or child.get_name() in {
                "lambda",
                "genexpr",
                "listcomp",
                "setcomp",
                "dictcomp",
            }:
                continue
            count = seen[child.get_name()] = seen.get(child.get_name(), 0) + 1
            visit(child, (*path, f"{child.get_name()}#{count}"))

    visit(symtable.symtable(source.text.decode("utf-8"), source.path, "exec"), ("",))
    return found


def _own_yields(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[bool]:
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            yield True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(node))


def lost_names(before: Module, after: Module) -> set[str]:
    """Names of the module itself that it no longer has; imports are not among them."""
    kept = set(after.top.names)
    return {
        name
        for name, bindings in before.top.names.items()
        if name not in kept and not any(one.imported for one in bindings)
    }


# What may go --------------------------------------------------------------------------------------------


def without_unused_imports(before: Source, after: Source, project: Project, search: Search) -> tuple[Source, list[str]]:
    """Imports that were used before, are named nowhere any more, and that no other module takes from here."""
    gone: list[str] = []
    if before.path.endswith("__init__.py"):
        return after, gone
    was_used = {node.id for node in before.module.nodes() if isinstance(node, ast.Name)}
    for _ in range(len(after.module.tree.body)):
        found = next(_unused(after, was_used, project, search), None)
        if found is None:
            break
        name, text = found
        gone.append(name)
        after = Source(after.path, text)
    return after, gone


def _unused(source: Source, was_used: set[str], project: Project, search: Search) -> Iterator[tuple[str, bytes]]:
    for statement in source.module.tree.body:
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        whole = source.span(statement)
        lines = b"".join(source.lines[statement.lineno - 1 : statement.end_lineno])
        if _KEEP.search(lines) or getattr(statement, "module", "") == "__future__":
            continue
        elsewhere = source.text[: whole.start] + source.text[whole.end :]
        for alias in statement.names:
            name = alias.asname or alias.name
            if "." in name or name == "*" or name not in was_used or word([name]).search(elsewhere):
                continue
            if not is_taken_elsewhere(source.path, name, project, search):
                yield name, _without_alias(source, statement, alias)


def _without_alias(source: Source, statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> bytes:
    if len(statement.names) == 1:
        rest = source.lines[(statement.end_lineno or statement.lineno) - 1][statement.end_col_offset or 0 :].strip()
        if source.lines[statement.lineno - 1][: statement.col_offset].strip() or (rest and not rest.startswith(b"#")):
            return source.replace(source.span(statement), b"pass")
        return source.without_lines(statement.lineno, statement.end_lineno or statement.lineno)
    position = statement.names.index(alias)
    spans = [source.span(one) for one in statement.names]
    if position + 1 < len(spans):
        return source.replace(Span(spans[position].start, spans[position + 1].start), b"")
    return source.replace(Span(spans[position - 1].end, spans[position].end), b"")


def is_taken_elsewhere(path: str, name: str, project: Project, search: Search) -> bool:
    """Whether another module may take this name from this file: by import, by star, or as an attribute."""
    stem = path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
    for other, text in search([name]):
        if other != path and word([stem]).search(text):
            module = project.module(other)
            if module is None or any(_takes(node, stem, name) for node in module.nodes()):
                return True
    return any(
        other != path and re.search(rb"from\s+[\w.]*\b" + re.escape(stem.encode()) + rb"\s+import\s+\*", text)
        for other, text in search([stem])
    )


def _takes(node: ast.AST, stem: str, name: str) -> bool:
    match node:
        case ast.ImportFrom(module=module, names=names):
            return (module or "").rpartition(".")[2] == stem and any(one.name in (name, "*") for one in names)
        case ast.Attribute(attr=attribute):
            return attribute == name
        case ast.Constant(value=str() as text):
            return name in text and stem in text  # a path for `mock.patch`
    return False


def without_statement(source: Source, statement: ast.stmt) -> Source:
    """Without a simple statement that stands alone on its lines."""
    source.indent(statement)
    return Source(source.path, source.without_lines(statement.lineno, statement.end_lineno or statement.lineno))
