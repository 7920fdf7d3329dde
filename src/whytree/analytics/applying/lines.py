"""YAML as plain data, which knows the line that each of its parts stands in. Pure.

Stricter than YAML where YAML surprises: no name twice, no anchors (they make a small file huge), names are texts.
"""

from dataclasses import dataclass
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from whytree.errors import Invalid

MOST_CHARACTERS = 2_000_000
DEEPEST = 40
LARGEST = 2**63
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same in C, ten times as quick, where there is one: two million characters are no minute's work."""
_OPENS, _CLOSES = (yaml.MappingStartEvent, yaml.SequenceStartEvent), (yaml.MappingEndEvent, yaml.SequenceEndEvent)
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Lined:
    """A document, and of each path in it, as ("metrics", "activated", "kind"), the line, counted from 1."""

    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest part around it."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def read_lines(text: str) -> Lined:
    """Raises `Invalid`, whose message begins with the line."""
    if len(text) > MOST_CHARACTERS:
        raise Invalid(f"The file has more than {MOST_CHARACTERS:,} characters. Split it.")
    try:
        _refuse_what_grows(text)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Invalid(f"line {mark.line + 1 if mark else 1}: this is no YAML: {error.problem}.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Invalid(f"This is no YAML: {str(error).splitlines()[0][:200]}.") from error
    if node is None:
        raise Invalid("The file is empty. `whytree metric export` writes one.")
    lines: dict[Path, int] = {(): 1}
    return Lined(_plain(node, (), lines), lines)


def _refuse_what_grows(text: str) -> None:
    """Before anything is built of it: what is deep costs much to build, and what repeats costs more than it says."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, _OPENS) - isinstance(event, _CLOSES)
        if depth > DEEPEST:
            raise Invalid(f"line {mark.line + 1 if (mark := event.start_mark) else 1}: this is nested too deep.")
        if isinstance(event, yaml.AliasEvent):
            raise Invalid("The file repeats parts by anchors (*name). Write them out.")


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, (*path, at), lines) for at, one in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise Invalid(f"line {line}: a name is a text.")
        if key.tag == "tag:yaml.org,2002:bool":
            raise Invalid(f"line {line}: put the name into quotes: {key.value[:40]!r}.")
        if key.value in found:
            raise Invalid(f"line {line}: {key.value[:60]!r} stands here twice.")
        _refuse_unstorable(key)
        lines[(*path, key.value)] = line
        found[key.value] = _plain(value, (*path, key.value), lines)
    return found


def _scalar(node: yaml.Node) -> Any:
    """Texts, numbers, yes and no, nothing; a day stays the text it is."""
    _refuse_unstorable(node)
    if node.tag.rpartition(":")[2] not in ("int", "float", "bool", "null"):
        return node.value
    try:
        value = SafeConstructor().construct_object(node)  # this part alone: no text is read again
    except (yaml.YAMLError, ValueError, KeyError, IndexError):
        return node.value
    if isinstance(value, int | float) and not (abs(value) < LARGEST):  # nor what is no number
        raise Invalid(f"line {node.start_mark.line + 1}: {node.value[:40]!r} is too large a number.")
    return value


def _refuse_unstorable(node: yaml.Node) -> None:
    if any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in node.value):
        raise Invalid(f"line {node.start_mark.line + 1}: this holds characters that cannot be stored.")
