"""Looks a clone through for who reads what people type into form fields, and tells the server."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Any

from whytree.engines.code.python.carriers import CARRIERS, Spot
from whytree.engines.code.python.fields import FieldFinder, FieldReads, loose
from whytree.engines.code.python.names import Module, Project, word
from whytree.workspace.background.collecting import without_collecting
from whytree.workspace.terminal.client import Client

from ..clone.git import Clone, shown_path
from ..clone.snapshot import Snapshot

MOST_MODULES = 2000
FIELDS_AT_ONCE = 50
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")


class FieldSearch:
    """One search of one clone, at its HEAD."""

    def __init__(self, clone: Clone) -> None:
        self.sha = clone.head
        self.snapshot = Snapshot(clone)
        self._project = Project(self.snapshot.entries, self.snapshot.text)

    def run(self, names: Iterable[str]) -> list[FieldReads]:
        """What the code does with each of these fields."""
        with without_collecting():
            return [self.look(name) for name in sorted(set(names))]

    def look(self, name: str) -> FieldReads:
        if not _NAME.fullmatch(name):
            return FieldReads(name, says="Not to be told: code could have no field of this name.")
        paths = self.snapshot.holding([name], re.compile(loose(name).encode()), lambda some: loose(name))
        return self._finder.look(name, self.snapshot.load(paths))

    @cached_property
    def _finder(self) -> FieldFinder:
        carriers = re.compile(CARRIERS.encode())
        holding = self.snapshot.holding([], carriers, lambda some: CARRIERS)
        paths = [path for path in holding if path.endswith(".py")]
        modules = [(path, self._project.module(path)) for path in paths[:MOST_MODULES]]
        unread = [Spot(path, 1, "does not parse as Python") for path, module in modules if module is None]
        if len(paths) > MOST_MODULES:
            says = f"and {len(paths) - MOST_MODULES:,} more files were not looked at"
            unread.append(Spot(paths[MOST_MODULES], 1, says))
        unread += [Spot("", 0, sentence) for sentence in self.snapshot.left_out]
        return FieldFinder(self._project, [module for _, module in modules if module], self._modules_naming, unread)

    def _naming(self, names: Collection[str]) -> list[str]:
        """Python files in which any of the names stands."""
        holding = self.snapshot.holding(names, word(names), lambda some: rf"(?<!\w)(?:{'|'.join(some)})(?!\w)")
        return [path for path in holding if path.endswith(".py")]

    def _modules_naming(self, names: Collection[str]) -> list[Module]:
        return [module for path in self._naming(names) if (module := self._project.module(path))]


def field_names(client: Client) -> list[str]:
    """Fields that events of the product speak of."""
    fields = client.get(f"/products/{client.product}/form-fields")
    return sorted({field["field"] for field in fields if field["people"]})


def tell_fields(
    client: Client, clone: Clone, repository: Mapping[str, Any], names: Iterable[str] = ()
) -> list[FieldReads]:
    """Look for these fields, or for all that events speak of, and tell the server."""
    wanted = list(names) or field_names(client)
    if not wanted:
        return []
    search = FieldSearch(clone)
    found = search.run(wanted)
    send_fields(client, search.sha, found, repository)
    return found


def send_fields(client: Client, sha: str, found: list[FieldReads], repository: Mapping[str, Any]) -> None:
    path = f"/products/{client.product}/repositories/{repository['id']}/form-fields"
    for start in range(0, len(found), FIELDS_AT_ONCE):
        fields = [told(one) for one in found[start : start + FIELDS_AT_ONCE]]
        client.post(path, {"root_sha": repository["root_sha"], "rev": sha, "fields": fields})


def told(found: FieldReads) -> dict[str, Any]:
    """As the server takes it and JSON shows it."""

    def places(some: list[Spot]) -> list[dict[str, Any]]:
        return [{**asdict(one), "path": shown_path(one.path), "says": shown_path(one.says)} for one in some]

    return {
        "field": found.name,
        "verdict": found.verdict,
        "says": found.says,
        "reads": places(found.reads),
        "hides": places(found.hides),
        "defined": places(found.defined),
        "tests": places(found.tests),
    }
