"""Where a compound statement's parts stand: its next header, its last line, what follows it, the block it is in."""

import ast
from typing import Any

from .source import Branch, Source, Unsure

_TERMINAL = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def next_header(source: Source, node: ast.If) -> tuple[int | None, bool]:
    """Line of the `elif` or `else` that follows, and whether it is an `elif`."""
    if not node.orelse:
        return None, False
    first = node.orelse[0]
    if isinstance(first, ast.If) and source.of(source.span(first)).startswith(b"elif"):
        return first.lineno, True
    return source.else_line(node.orelse, node.col_offset), False


def else_colon(source: Source, line: int) -> int:
    start = source.at(line, 0)
    return source.text.index(b":", start)


def header_start(line: int, body: Branch) -> int:
    """First line of a header with the comments that stand above it and belong to it."""
    return max(body.last + 1, 1) if body.inline is None else line


def limit(source: Source, node: ast.stmt) -> int:
    """The line before which what belongs to a statement must end: the next one's, or the end of the file."""
    module = source.module
    following: list[int] = []
    current: ast.AST = node
    while current in module.parents:
        parent = module.parents[current]
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            block = getattr(parent, name, None)
            if isinstance(block, list):
                following += [
                    min([one.lineno, *(each.lineno for each in getattr(one, "decorator_list", ()))])
                    for one in block
                    if getattr(one, "lineno", 0) > (node.end_lineno or node.lineno)
                ]
        current = parent
    return min(following, default=len(source.lines) + 1)


def end_of(source: Source, node: ast.If, body: Branch) -> int:
    """Last line of the whole statement, with the comments at the end of its last block."""
    last = node
    while last.orelse and next_header(source, last)[1] and isinstance(last.orelse[0], ast.If):
        last = last.orelse[0]
    if not last.orelse:
        if last is node:
            return body.last
        return source.branch(last.body, source.colon_after(last.test), limit(source, node)).last
    line = source.else_line(last.orelse, last.col_offset)
    return source.branch(last.orelse, else_colon(source, line), limit(source, node)).last


def has_comment(source: Source, branch: Branch) -> bool:
    return any(b"#" in source.lines[number - 1] for number in range(branch.first, branch.last + 1))


def after(source: Source, node: ast.stmt) -> list[ast.stmt]:
    """Statements behind it in its own block."""
    block = block_of(source, node)
    return block[block.index(node) + 1 :]


def block_of(source: Source, node: ast.stmt) -> list[ast.stmt]:
    parent = source.module.parents[node]
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and node in block:
            return block
    raise Unsure(node.lineno, "it stands where no block is known")


def ends(body: "list[ast.stmt] | Any") -> bool:
    """Whether nothing behind this block is reached."""
    last = body[-1]
    if isinstance(last, _TERMINAL):
        return True
    if isinstance(last, ast.If) and last.orelse:
        return ends(last.body) and ends(last.orelse)
    return False
