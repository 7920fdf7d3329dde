"""Takes a decided flag out of Python code: the winning branch stays, as it was written; the other one goes.

    result = remove(project, finder, "app/form.py", source, value=True)
    result.after        # the new source; None when a place is refused: then nothing of the file is changed

Each step replaces one span of the text and reads it again, until no call asks for the flag any more. A place where the
outcome might differ from today's is refused, with its line and the reason.
"""

import ast
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from . import statements
from .decided import Decided, Value
from .flags import Ask, FlagFinder, called
from .leftovers import refuse_changed_scopes
from .names import Project
from .source import Branch, Source, Span, Unsure

_MOST_STEPS = 2000
# Calls in an evaluation's arguments that build a context and do nothing else.
PURE_CALLS = frozenset({"EvaluationContext", "Context", "str", "int", "bool", "dict", "create", "builder", "build"})
_CLIENTS = frozenset({"get_client", "client", "get_flags", "get_environment_flags", "instance", "get_instance"})


@dataclass(frozen=True, slots=True)
class Place:
    """A line and what is said of it."""

    path: str
    line: int
    says: str


@dataclass
class FileRemoval:
    """What removing does to one file. `notes` are of places that are right and still worth a look."""

    path: str
    before: bytes
    after: bytes | None = None
    edits: list[str] = field(default_factory=list)
    refusals: list[Place] = field(default_factory=list)
    notes: list[Place] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        return self.after is not None and self.after != self.before


def remove(project: Project, finder: FlagFinder, path: str, source: bytes, *, value: Value) -> FileRemoval:
    """Keep what happens while the flag gives `value`."""
    result = FileRemoval(path, source)
    try:
        encoding, text = decoded(source)
        before = Source(path, text)
        result.refusals = [Place(path, line, why) for line, why in sorted(set(_refused(before, finder, value)))]
        if result.refusals:
            return result
        rewriter = _Rewriter(project, finder, before, value, result)
        after = rewriter.run()
        refuse_changed_scopes(before, after)
        result.after = after.text.decode("utf-8").encode(encoding)
    except Unsure as error:
        result.refusals.append(Place(path, error.line, error.why))
    except (UnicodeError, LookupError, SyntaxError, tokenize.TokenError):
        result.refusals.append(Place(path, 1, "its encoding cannot be read"))
    return result


def decoded(source: bytes) -> tuple[str, bytes]:
    """The file's encoding, and its text as the tree counts columns."""
    encoding, _ = tokenize.detect_encoding(BytesIO(source).readline)
    text = source.decode(encoding)
    if encoding not in ("utf-8", "utf-8-sig") and text.isascii():
        return encoding, source
    if encoding not in ("utf-8", "utf-8-sig"):
        raise Unsure(1, f"it is written in {encoding}: convert it to UTF-8 first")
    return encoding, text.encode("utf-8")


# What is refused before anything is touched ------------------------------------------------------------


def _refused(source: Source, finder: FlagFinder, value: Value) -> Iterator[tuple[int, str]]:
    module = source.module
    for ask in finder.asks(module):
        if why := _why_not(source, ask, value):
            yield ask.call.lineno, why
    for line, says in finder.mentions(module):
        yield line, f"{says}: that is no call which gives the flag's value"


def _why_not(source: Source, ask: Ask, value: Value) -> str:
    """Why this call cannot be replaced by a value; "" when it can."""
    module, call = source.module, ask.call
    above = list(module.ancestors(call))
    if isinstance(above[0], ast.Expr):
        return f"the value of {ask.name}() is not used here: it may set something"
    if any(isinstance(one, ast.JoinedStr) for one in above):
        return f"{ask.name}() is asked inside an f-string"
    child: ast.AST = call
    for one in above:
        if child in getattr(one, "decorator_list", ()):
            return f"{ask.name}() decorates {getattr(one, 'name', 'something')}: what the decorator does cannot be seen"
        child = one
    if not _fits(ask.evaluator.gives, value):
        return f"{ask.name}() gives no value like {value!r}"
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        if argument is not ask.key and (doing := _does_something(argument, PURE_CALLS)):
            return f"an argument does something: {doing}"
    if doing := _does_something(call.func, _CLIENTS):
        return f"what it is asked of does something: {doing}"
    return ""


def _fits(gives: str, value: Value) -> bool:
    if gives == "bool":
        return isinstance(value, bool)
    if gives == "text":
        return isinstance(value, str)
    if gives == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return gives == "any"


def _does_something(node: ast.AST, harmless: frozenset[str]) -> str:
    """The first part that is more than reading a name; "" when there is none."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and called(one) not in harmless:
            return f"{called(one) or 'a call'}()"
        if isinstance(one, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr):
            return type(one).__name__.lower()
    return ""


# Rewriting ----------------------------------------------------------------------------------------------


class _Rewriter:
    """Steps from one text to the next, until nothing asks for the flag."""

    def __init__(self, project: Project, finder: FlagFinder, source: Source, value: Value, result: FileRemoval) -> None:
        self._project = project
        self._finder = finder
        self._source = source
        self._value = value
        self._result = result
        self._decided = self._look()

    def run(self) -> Source:
        for _ in range(_MOST_STEPS):
            text = self._step()
            if text is None:
                return self._source
            try:
                self._source = Source(self._source.path, text)
            except Unsure as error:
                raise Unsure(1, "the result would not parse") from error
            self._decided = self._look()
        raise Unsure(1, "it asks for the flag too often")

    def _look(self) -> Decided:
        return Decided(self._project, self._source, self._finder.asks(self._source.module), self._value)

    # One step

    def _step(self) -> bytes | None:
        """The text after the next change; None when there is none left."""
        waiting: list[ast.AST] = [self._source.module.tree]
        while waiting:
            node = waiting.pop()
            text = self._change(node)
            if text is not None:
                return text
            if self._decided.is_held(node):
                continue  # goes when nobody reads the name any more
            waiting.extend(reversed(list(ast.iter_child_nodes(node))))
        return None

    def _change(self, node: ast.AST) -> bytes | None:
        match node:
            case ast.If(test=test) if known := self._decided.of(test):
                return self._if(node, holds=bool(known.value))
            case ast.While(test=test) if (known := self._decided.of(test)) and not known.value:
                return self._while(node)
            case ast.Assert(test=test) if known := self._decided.of(test):
                if not known.value:
                    raise Unsure(node.lineno, "this assertion would always fail")
                self._did("an assertion that always holds went")
                return self._delete(node)
            case ast.Assign(targets=[ast.Name(id=name)]) if self._decided.is_spent(node, name):
                self._did(f"{name} went: it only held the flag")
                return self._delete(node)
            case ast.IfExp(test=test) if known := self._decided.of(test):
                chosen = node.body if known.value else node.orelse
                whole = self._source.span(node)
                self._did("a conditional expression became the one that stays")
                return self._source.replace(whole, self._source.of(self._source.grouped(chosen, whole)))
            case ast.expr() if known := self._decided.of(node):
                return self._literal(node, known.value)
            case ast.BoolOp():
                return self._shorter(node)
        return None

    def _did(self, says: str) -> None:
        self._result.edits.append(says)

    def _literal(self, node: ast.expr, value: Any) -> bytes:
        line = node.lineno
        text = repr(value)
        if isinstance(value, str) and b'"' in self._source.text and '"' not in value and "\\" not in text:
            text = f'"{value}"'
        self._did(f"an answer became {text}")
        says = f"became {text} here: see whether what receives it can go too"
        self._result.notes.append(Place(self._source.path, line, says))
        return self._source.replace(self._source.span(node), text.encode())

    def _shorter(self, node: ast.BoolOp) -> bytes | None:
        """`and` without what always holds, `or` without what never does."""
        decides = isinstance(node.op, ast.Or)
        last = len(node.values) - 1
        for position, one in enumerate(node.values):
            known = self._decided.of(one)
            if known is None:
                continue
            if bool(known.value) is decides:
                if position == last:
                    continue
                self._did("what was never reached behind the flag went")
                return self._cut(node, position + 1, last)
            if position < last or self._decided.is_test(node):
                self._did("the flag went from a condition")
                return self._cut(node, position, position)
        return None

    def _cut(self, node: ast.BoolOp, first: int, last: int) -> bytes:
        """Without these operands. One that is left alone stands where the whole stood."""
        source, whole = self._source, self._source.span(node)
        spans = [source.grouped(one, whole) for one in node.values]
        gone = (
            Span(spans[first].start, spans[last + 1].start)
            if last + 1 < len(spans)
            else (Span(spans[first - 1].end, spans[last].end))
        )
        return source.replace(gone, b"")

    # Statements

    def _if(self, node: ast.If, *, holds: bool) -> bytes:
        source = self._source
        is_elif = source.of(source.span(node)).startswith(b"elif")
        colon = source.colon_after(node.test)
        next_line, chain = statements.next_header(self._source, node)
        body = source.branch(node.body, colon, next_line or statements.limit(self._source, node))
        end = statements.end_of(self._source, node, body)
        self._did("the branch that stays took the place of the whole" if holds else "the branch that goes went")
        if is_elif:
            return self._elif(node, body, colon, next_line, end, holds=holds)
        indent = source.indent(node)
        if holds:
            return self._in_place(node, body, indent, end)
        if next_line is None:
            return self._delete(node, end)
        if chain:
            start = statements.header_start(next_line, body)
            text = b"".join(source.lines[start - 1 : next_line - 1])
            header = source.lines[next_line - 1].replace(b"elif", b"if", 1)
            return b"".join([*source.lines[: node.lineno - 1], text, header, *source.lines[next_line:]])
        other = source.branch(
            node.orelse, statements.else_colon(self._source, next_line), statements.limit(self._source, node)
        )
        between = [line.strip() for line in source.lines[body.last : next_line - 1]]
        above = [indent + line + b"\n" for line in between if line.startswith(b"#")]
        return self._in_place(node, other, indent, end, above)

    def _elif(self, node: ast.If, body: Branch, colon: int, next_line: int | None, end: int, *, holds: bool) -> bytes:
        source = self._source
        if holds:
            kept = source.text[: source.span(node).start] + b"else" + source.text[colon : source.at(body.last + 1, 0)]
            return kept + source.text[source.at(end + 1, 0) :]
        stop = statements.header_start(next_line, body) if next_line else end + 1
        return b"".join([*source.lines[: node.lineno - 1], *source.lines[stop - 1 :]])

    def _in_place(self, node: ast.stmt, branch: Branch, indent: bytes, end: int, above: Sequence[bytes] = ()) -> bytes:
        """The branch's lines where the statement stood; what can no longer be reached behind it goes."""
        if all(isinstance(one, ast.Pass) for one in branch.body) and not statements.has_comment(self._source, branch):
            return self._delete(node, end)
        siblings = statements.after(self._source, node)
        lines = [*above, *self._source.moved_out(branch, indent)]
        if siblings and statements.ends(branch.body):
            dead = siblings[-1].end_lineno or siblings[-1].lineno
            self._did("what can no longer be reached went")
            count = dead - siblings[0].lineno + 1
            lines_went = "1 line went" if count == 1 else f"{count} lines went"
            says = f"{lines_went} that can no longer be reached"
            self._result.notes.append(Place(self._source.path, siblings[0].lineno, says))
            end = max(end, dead)
        return self._source.without_lines(node.lineno, end, lines)

    def _while(self, node: ast.While) -> bytes:
        source = self._source
        self._did("a loop that never runs went")
        if not node.orelse:
            return self._delete(node)
        line = source.else_line(node.orelse, node.col_offset)
        other = source.branch(
            node.orelse, statements.else_colon(self._source, line), statements.limit(self._source, node)
        )
        return self._in_place(node, other, source.indent(node), other.last)

    def _delete(self, node: ast.stmt, end: int = 0) -> bytes:
        """Without the statement; a block that would be empty gets `pass`, an `else` goes with its last statement."""
        source = self._source
        indent = source.indent(node)
        end = end or node.end_lineno or node.lineno
        rest = source.lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :].strip()
        if rest and not rest.startswith(b"#"):
            raise Unsure(node.lineno, "it shares its line with another statement")
        if statements.block_of(self._source, node) != [node]:
            return source.without_lines(node.lineno, end)
        parent = source.module.parents[node]
        if isinstance(parent, ast.If | ast.For | ast.While) and parent.orelse == [node]:
            return source.without_lines(source.else_line([node], parent.col_offset), end)
        if isinstance(parent, ast.Module):
            return source.without_lines(node.lineno, end)
        newline = b"\r\n" if source.lines[node.lineno - 1].endswith(b"\r\n") else b"\n"
        return source.without_lines(node.lineno, end, [indent + b"pass" + newline])
