"""Lines of a function or class in a clone's file: Python by its grammar, other languages by what git knows of them."""

import tempfile
from collections.abc import Sequence

from whytree.engines.code.symbols import PYTHON, SymbolProblem, find_python, names_it
from whytree.engines.git.blame import parse_blame
from whytree.workspace.terminal.client import CommandError

from .git import Clone

# git looks for functions by language only where a repository's own attributes say which is which.
_ATTRIBUTES = """
*.ada diff=ada
*.sh diff=bash
*.c diff=cpp
*.cc diff=cpp
*.cpp diff=cpp
*.h diff=cpp
*.hpp diff=cpp
*.cs diff=csharp
*.css diff=css
*.ex diff=elixir
*.exs diff=elixir
*.go diff=golang
*.java diff=java
*.kt diff=kotlin
*.m diff=objc
*.pl diff=perl
*.php diff=php
*.rb diff=ruby
*.rs diff=rust
*.scm diff=scheme
"""
_EDGE = "[^A-Za-z0-9_$]"


def find_function(clone: Clone, revision: str, path: str, text: Sequence[str], name: str) -> tuple[int, int]:
    """First and last line; `CommandError` where there is none, or more than one."""
    if path.endswith(PYTHON):
        try:
            symbol = find_python(path, "\n".join(text), name)
        except SymbolProblem as error:
            raise CommandError(str(error)) from error
        return symbol.first, symbol.last
    if "." in name:
        raise CommandError(
            f"Only in Python can {name} be told apart. Name the function alone: {path}::{name.split('.')[-1]}"
        )
    found = _by_git(clone, revision, path, text, name)
    if found is None:
        raise CommandError(f"git sees no function {name} in {path}. Ask by line: {path}:12 or {path}:12-40")
    return found


def _by_git(clone: Clone, revision: str, path: str, text: Sequence[str], name: str) -> tuple[int, int] | None:
    written = name.replace("$", "[$]")
    for pattern in (f"{_EDGE}{written}{_EDGE}", f"^{written}{_EDGE}", f"{_EDGE}{written}$"):
        first = _range(clone, revision, path, [pattern])
        if first is None or not names_it(text[first[0] - 1], name):
            continue
        both = _range(clone, revision, path, [pattern, pattern])
        if both is not None and both != first:
            raise CommandError(f"{path} has more than one {name}. Ask by line: {path}:{first[0]}-{first[1]}")
        return first
    return None


def _range(clone: Clone, revision: str, path: str, patterns: Sequence[str]) -> tuple[int, int] | None:
    """Lines of the function whose first line matches; with two patterns, of that and the next one."""
    with tempfile.NamedTemporaryFile("w", prefix="whytree-", suffix=".attributes") as attributes:
        attributes.write(_ATTRIBUTES)
        attributes.flush()
        arguments = [
            "-c",
            f"core.attributesFile={attributes.name}",
            "blame",
            "--porcelain",
            "--no-textconv",
            "--since=now",
        ]
        arguments += [f"-L:{pattern}" for pattern in patterns]
        numbers = [
            line.line for line in parse_blame(clone.ask_bytes(*arguments, *filter(None, [revision]), "--", path))
        ]
    return (numbers[0], numbers[-1]) if numbers else None
