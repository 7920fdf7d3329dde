"""One file's text with its syntax tree, edited by spans so that everything else stays as it was written."""

import ast
import io
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .names import Module, parse


class Unsure(Exception):
    """An edit that might change more than is meant: `line` says where, the message why."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` to before `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Branch:
    """A block below a header: its lines from `first` to `last`, those of its own comments with it.

    On one line with its header, `first` and `last` are that line and `inline` is where its text begins.
    """

    body: Sequence[ast.stmt]
    first: int
    last: int
    inline: int | None = None


class Source:
    """UTF-8 text and its tree. Lines are counted from 1, as the tree counts them; columns in bytes, likewise."""

    def __init__(self, path: str, text: bytes) -> None:
        tree = parse(text)
        if tree is None:
            raise Unsure(1, "this file does not parse as Python")
        self.path = path
        self.text = text
        self.module = Module(path, tree)
        self.lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def span(self, node: ast.expr | ast.stmt | ast.alias) -> Span:
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return Span(self.at(node.lineno, node.col_offset), self.at(end_line, end_column))

    def of(self, span: Span) -> bytes:
        return self.text[span.start : span.end]

    def indent(self, node: ast.stmt) -> bytes:
        """What stands before a statement on its line; `Unsure` when that is more than space."""
        before = self.lines[node.lineno - 1][: node.col_offset]
        if before.strip():
            raise Unsure(node.lineno, "it shares its line with another statement")
        return before

    def replace(self, span: Span, text: bytes) -> bytes:
        return self.text[: span.start] + text + self.text[span.end :]

    # Tokens

    @cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        reader = io.BytesIO(self.text).readline
        return [one for one in tokenize.tokenize(reader) if one.type not in {tokenize.NL, tokenize.ENCODING}]

    @cached_property
    def inside_strings(self) -> frozenset[int]:
        """Lines that begin inside a string: their white space is content."""
        found: set[int] = set()
        opened: list[int] = []
        start = getattr(tokenize, "FSTRING_START", -1)
        end = getattr(tokenize, "FSTRING_END", -1)
        for token in self.tokens:
            if token.type == tokenize.STRING:
                found.update(range(token.start[0] + 1, token.end[0] + 1))
            elif token.type == start:
                opened.append(token.start[0])
            elif token.type == end and opened:
                found.update(range(opened.pop() + 1, token.end[0] + 1))
        return frozenset(found)

    def grouped(self, node: ast.expr, within: Span) -> Span:
        """The expression with the parentheses that stand around it and nothing else, inside of `within`."""
        span = self.span(node)
        while True:
            left = len(self.text[within.start : span.start].rstrip())
            right = self.text[span.end : within.end]
            gap = len(right) - len(right.lstrip())
            if not left or self.text[within.start + left - 1 : within.start + left] != b"(":
                return span
            if right[gap : gap + 1] != b")":
                return span
            span = Span(within.start + left - 1, span.end + gap + 1)

    # Blocks

    def colon_after(self, node: ast.expr) -> int:
        """Where the header that ends with this test has its colon."""
        position = self.span(node).end
        while position < len(self.text):
            character = self.text[position : position + 1]
            if character == b"#":
                position = self.text.index(b"\n", position)
            elif character == b":":
                return position
            position += 1
        raise Unsure(node.lineno, "its header has no colon")

    def line_of(self, position: int) -> int:
        low, high = 0, len(self._starts) - 1
        while low < high - 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._starts[middle] <= position else (low, middle)
        return low + 1

    def branch(self, body: Sequence[ast.stmt], header_end: int, before: int) -> Branch:
        """The block after a colon at `header_end`; it ends before line `before`."""
        header = self.line_of(header_end)
        if body[0].lineno == header:
            return Branch(body, header, body[-1].end_lineno or header, self.at(body[0].lineno, body[0].col_offset))
        width = body[0].col_offset
        last = body[-1].end_lineno or body[-1].lineno
        for number in range(last + 1, before):
            line = self.lines[number - 1]
            if line.strip().startswith(b"#") and len(line) - len(line.lstrip()) >= width:
                last = number
            elif line.strip():
                break
        return Branch(body, header + 1, last)

    def else_line(self, orelse: Sequence[ast.stmt], column: int) -> int:
        """The line of the `else` that this block belongs to."""
        start = min([orelse[0].lineno, *(one.lineno for one in getattr(orelse[0], "decorator_list", ()))])
        found = [
            token.start[0]
            for token in self.tokens
            if token.string == "else"
            and token.type == tokenize.NAME
            and token.start[0] <= start
            and self._column(token) == column
        ]
        return found[-1]

    def _column(self, token: tokenize.TokenInfo) -> int:
        """In bytes, as the tree counts."""
        return len(token.line[: token.start[1]].encode())

    def moved_out(self, branch: Branch, indent: bytes) -> list[bytes]:
        """The block's lines at another, smaller indent."""
        if branch.inline is not None:
            end = self._starts[branch.last]
            return [indent + self.text[branch.inline : end]]
        statement = branch.body[0]
        prefix = self.lines[statement.lineno - 1][: statement.col_offset]
        if prefix.strip() or not prefix.startswith(indent):
            raise Unsure(statement.lineno, "its indentation is mixed")
        moved = []
        for number in range(branch.first, branch.last + 1):
            line = self.lines[number - 1]
            is_code = number not in self.inside_strings and line.startswith(prefix)
            moved.append(indent + line[len(prefix) :] if is_code else line)
        return moved

    def without_lines(self, first: int, last: int, instead: Sequence[bytes] = ()) -> bytes:
        """The text with other lines in place of these; no more blank lines are left than there were on one side."""
        before, after = self.lines[: first - 1], self.lines[last:]
        if not instead:
            above = len(before) - len(_stripped_end(before))
            below = len(after) - len(_stripped_start(after))
            opens = not before or (_stripped_end(before)[-1:] and _opens(_stripped_end(before)[-1]))
            drop = below if opens else min(above, below)
            after = after[drop:]
            if not _stripped_start(after):
                before = _stripped_end(before)
        return b"".join([*before, *instead, *after])


def _stripped_end(lines: list[bytes]) -> list[bytes]:
    count = len(lines)
    while count and not lines[count - 1].strip():
        count -= 1
    return lines[:count]


def _stripped_start(lines: list[bytes]) -> list[bytes]:
    count = 0
    while count < len(lines) and not lines[count].strip():
        count += 1
    return lines[count:]


def _opens(line: bytes) -> bool:
    return line.split(b"#")[0].rstrip().endswith(b":")
