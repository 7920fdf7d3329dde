"""Where in a file a class, a function or a constant stands: `SignUp.clean` -> lines 12 to 20.

Python by its own grammar, as the text stands. For other languages git knows how functions begin; we only check what
it found. Pure.
"""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

PYTHON = (".py", ".pyi")
# Deeper than people nest, shallower than the interpreter's own stack.
_DEEPEST = 50
# Longer sources are data or generated; the grammar would need a hundred times their size in memory.
LONGEST_SOURCE = 2_000_000
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Symbol:
    """A definition with its decorators: first and last line included."""

    name: str
    first: int
    last: int


class SymbolProblem(Exception):
    """No such definition, or no single one; the message says what to ask instead."""


class NotReadable(SymbolProblem):
    """The source is not valid Python."""


def find_python(path: str, source: str, name: str) -> Symbol:
    """The one definition in a Python file that is called so; `SymbolProblem` otherwise."""
    try:
        symbols = python_symbols(source)
    except NotReadable as error:
        raise NotReadable(
            f"{path} is no valid Python ({error}), so {name} cannot be found. Ask by line: {path}:12"
        ) from error
    found = find_symbols(symbols, name)
    if not found:
        meant = nearest(symbols, name)
        hint = f"Did you mean {' or '.join(f'{path}::{one}' for one in meant)}?" if meant else f"Ask by line: {path}:12"
        raise SymbolProblem(f"{path} has no {name}. {hint}")
    if len(found) > 1:
        raise SymbolProblem(_several(path, name, found))
    return found[0]


def _several(path: str, name: str, found: Sequence[Symbol]) -> str:
    places = ", ".join(f"{one.name} at {one.first}" for one in found[:6])
    told_apart = len({one.name for one in found}) == len(found)
    example = f"{path}::{found[0].name}" if told_apart else f"{path}:{found[0].first}-{found[0].last}"
    return f"{path} has {len(found)} called {name}: {places}. Say which: {example}"


def python_symbols(source: str) -> list[Symbol]:
    """Classes, functions, methods and assigned names, in the file's order; names are qualified with dots."""
    if len(source) > LONGEST_SOURCE:
        raise NotReadable("it is too long to be read as Python")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the file does wrong is not ours to say
            tree = ast.parse(source)
    except SyntaxError as error:
        raise NotReadable(f"{error.msg}, line {error.lineno}" if error.lineno else error.msg) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise NotReadable("it is too deeply nested, or no text") from error
    return list(_symbols(tree.body, (), 0))


def _symbols(body: Sequence[ast.stmt], within: tuple[str, ...], depth: int, *, local: bool = False) -> Iterator[Symbol]:
    """`local`: inside of a function, where what is assigned has no name for others."""
    if depth > _DEEPEST:
        return
    for one in body:
        if isinstance(one, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = (*within, one.name)
            first = min([one.lineno, *(decorator.lineno for decorator in one.decorator_list)])
            yield Symbol(".".join(name), first, one.end_lineno or one.lineno)
            yield from _symbols(one.body, name, depth + 1, local=not isinstance(one, ast.ClassDef))
        elif isinstance(one, ast.Assign | ast.AnnAssign) and not local:
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    yield Symbol(".".join((*within, target.id)), one.lineno, one.end_lineno or one.lineno)
        else:
            for block in ("body", "orelse", "finalbody"):
                yield from _symbols(getattr(one, block, ()), within, depth + 1, local=local)
            for handler in (*getattr(one, "handlers", ()), *getattr(one, "cases", ())):
                yield from _symbols(handler.body, within, depth + 1, local=local)


def find_symbols(symbols: Iterable[Symbol], name: str) -> list[Symbol]:
    """Those called so: by the whole name; else, where nothing is, by its end (`clean` for `SignUp.clean`)."""
    symbols = list(symbols)
    exact = [symbol for symbol in symbols if symbol.name == name]
    return exact or [symbol for symbol in symbols if symbol.name.endswith("." + name)]


def nearest(symbols: Iterable[Symbol], name: str) -> list[str]:
    """Names that may have been meant, the likeliest first."""
    names = list(dict.fromkeys(symbol.name for symbol in symbols))
    by_end = {one.rpartition(".")[2].lower(): one for one in reversed(names)}
    close = get_close_matches(name.rpartition(".")[2].lower(), by_end, _NEAREST, 0.6)
    return list(dict.fromkeys([*get_close_matches(name, names, _NEAREST, 0.6), *(by_end[one] for one in close)]))[
        :_NEAREST
    ]


def names_it(line: str, name: str) -> bool:
    """Whether a line holds the name as a word of its own."""
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", line) is not None
