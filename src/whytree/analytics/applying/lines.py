"""YAML as plain data, which knows the line that each of its parts stands in. Pure.

Stricter than YAML where YAML surprises: no name twice, no anchors (they make a small file huge), names are texts.
"""

from dataclasses import dataclass
from typing import Any

import yaml

from whytree.errors import Invalid

MOST_CHARACTERS = 2_000_000
DEEPEST = 40
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
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise Invalid("The file repeats parts by anchors (*name). Write them out.")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Invalid(f"line {mark.line + 1 if mark else 1}: this is no YAML: {error.problem}.") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Invalid(f"This is no YAML: {str(error).splitlines()[0][:200]}.") from error
    if node is None:
        raise Invalid("The file is empty. `whytree metric export` writes one.")
    lines: dict[Path, int] = {(): 1}
    return Lined(_plain(node, (), lines), lines)


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    if len(path) > DEEPEST:
        raise Invalid(f"line {node.start_mark.line + 1}: this is nested too deep.")
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
        if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:bool":
            raise Invalid(f"line {line}: put the name into quotes: {str(getattr(key, 'value', ''))[:40]!r}.")
        if key.value in found:
            raise Invalid(f"line {line}: {key.value[:60]!r} stands here twice.")
        lines[(*path, key.value)] = line
        found[key.value] = _plain(value, (*path, key.value), lines)
    return found


def _scalar(node: yaml.Node) -> Any:
    """Texts, numbers, yes and no, nothing; a day stays the text it is."""
    kind = node.tag.rpartition(":")[2]
    text: str = node.value
    if kind not in ("int", "float", "bool", "null"):
        return text
    try:
        value = yaml.safe_load(text) if kind != "float" else float(text.replace("_", ""))
    except (yaml.YAMLError, ValueError):
        return text
    return value if isinstance(value, str | int | float | bool) or value is None else text
