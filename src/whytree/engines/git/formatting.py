"""Whether a hunk only changed how code looks: what it says is the same before and after.

    is_formatting("form.py", [b"-call('a',b)"], [b"+call(", b'+"a",', b"+b,", b"+)"])        # True

For every language: the same characters in the same order, blanks and line breaks set aside. For Python also the marks
around a string, a comma behind the last of several items, and the order of imports. What a hunk alone cannot tell (a
comma whose bracket closes outside of it) is no formatting: rather a commit too many is named than one too few.

Rows are those of `patch`: a sign, and the line without its blanks. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PYTHON = (".py", ".pyi")
# Whatever a formatter touches, letters and digits stay: a quick no for nearly every hunk.
_OTHERS = bytes(byte for byte in range(256) if not chr(byte).isalnum() or byte > 127)

_TOKEN = re.compile(
    rb"""(?P<comment>\#[^\n]*\n)
    |(?P<mark>\"\"\"|''')(?P<long>(?:[^\\]|\\.)*?)(?:(?P=mark)|\Z)
    |"(?P<double>(?:[^"\\\n]|\\.)*)"? | '(?P<single>(?:[^'\\\n]|\\.)*)'?
    |(?P<open>[(\[{]) |(?P<close>[)\]}]) |(?P<comma>,) |(?P<break>\n) |(?P<other>[^\#"'()\[\]{},\n]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED_MARK = re.compile(rb"\\([\"'])")
_IN_BRACKETS = re.compile(rb"\(([\w,.\n]*?),?\n?\)")
_IMPORT = re.compile(rb"(from[.\w]+?import|import)([\w.,*]+)")


def is_formatting(path: str, removed: Sequence[bytes], added: Sequence[bytes]) -> bool:
    """Whether the added rows say what the removed ones said."""
    if not removed or not added:
        return False
    before, after = (b"".join([row[1:] for row in rows]) for rows in (removed, added))
    if before == after:
        return True
    if not path.endswith(_PYTHON):
        return False
    if before.translate(None, _OTHERS) == after.translate(None, _OTHERS):
        return _said(removed) == _said(added)
    return (
        added[0].startswith((b"+from", b"+import")) and bool(_imports(added)) and _imports(removed) == _imports(added)
    )


def _text(rows: Sequence[bytes]) -> bytes:
    return b"".join([row[1:] + b"\n" for row in rows])


@dataclass(slots=True)
class _Bracket:
    """One that is open: how many commas are its own, where the last one stands, and whether a lambda has some of them."""

    commas: int = 0
    last: int = -1
    has_lambda: bool = False


def _said(rows: Sequence[bytes]) -> bytes:
    """Rows of Python written in one way."""
    found: list[bytes] = []
    brackets: list[_Bracket] = []
    for token in _TOKEN.finditer(_text(rows)):
        kind, piece = token.lastgroup, token[0]
        if kind in {"long", "double", "single"}:
            piece = _string(token, found[-1] if found else b"")
        elif kind == "break":
            continue
        elif kind == "open":
            brackets.append(_Bracket())
        elif kind == "close" and brackets:
            bracket = brackets.pop()
            # The last of several commas says nothing; the only one makes a tuple, or ends a lambda's parameters.
            if bracket.commas > 1 and bracket.last == len(found) - 1 and not bracket.has_lambda:
                found.pop()
        elif brackets:
            brackets[-1].has_lambda |= b"lambda" in piece
            if kind == "comma":
                brackets[-1].commas += 1
                brackets[-1].last = len(found)
        found.append(piece)
    return b"".join(found)


def _string(token: re.Match[bytes], before: bytes) -> bytes:
    """Its text between marks that no code has; as it stands, where it does not end in these rows."""
    text: bytes = token[token.lastgroup or 0]
    mark = token["mark"] or token[0][:1]
    if len(token[0]) != len(text) + 2 * len(mark):
        return token[0]
    long = b"\0" if token["mark"] else b""
    # In a raw string a backslash is a backslash.
    return b"\0" + long + (text if before[-1:] in b"rR" and before else _ESCAPED_MARK.sub(rb"\1", text)) + long + b"\0"


def _imports(rows: Sequence[bytes]) -> list[tuple[bytes, bytes]] | None:
    """What is imported, in alphabetical order; None where anything else stands there too."""
    text = _IN_BRACKETS.sub(lambda names: names[1].replace(b"\n", b""), _text(rows))
    found = [_IMPORT.fullmatch(line) for line in text.split(b"\n") if line]
    if not all(found):
        return None
    return sorted((one[1], name) for one in found if one for name in one[2].split(b","))
