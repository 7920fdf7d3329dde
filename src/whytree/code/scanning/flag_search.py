"""Looks a clone through for flags: where they stand now, and when the last reference of the others went."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from whytree.engines.code.flag_references import (
    Hunk,
    Reference,
    around,
    capped,
    find_references,
    hunks,
    key_pattern,
    pcre_of,
)
from whytree.engines.code.python.names import Project, word
from whytree.engines.git.log_diff import DIFF_ARGUMENTS, flags_balance, flags_pattern, parse_diffs
from whytree.workspace.background.collecting import without_collecting
from whytree.workspace.terminal.client import Client

from ..clone.git import Clone, shown_path, split_lines
from ..clone.snapshot import KeySearch, Snapshot, lines_of

REFERENCES_AT_ONCE = 1000


@dataclass(frozen=True)
class Extinction:
    """The commit that took the last reference of a flag away."""

    key: str
    sha: str
    subject: str
    at: datetime


@dataclass
class FlagsFound:
    """What a clone holds of flags. `references` are capped; `left_out` are sentences."""

    sha: str
    keys: list[str]
    references: list[Reference] = field(default_factory=list)
    extinctions: list[Extinction] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class FlagSearch:
    """One search of one clone, at its HEAD."""

    def __init__(self, clone: Clone, keys: Collection[str]) -> None:
        self._clone = clone
        self._keys = sorted({key for key in keys if key.strip()})
        self.snapshot = Snapshot(clone)
        self.project = Project(self.snapshot.entries, self.snapshot.text, lazy=True)

    def run(self, *, extinct: bool = True) -> FlagsFound:
        """Everything; without `extinct` only what stands there now."""
        found = FlagsFound(self._clone.head, self._keys)
        if not self._keys:
            return found
        pattern = key_pattern(self._keys)
        paths = KeySearch(self._clone, self._keys, pattern, pcre_of, memory="flag-keys").paths(self.snapshot)
        files = self.snapshot.load(paths)
        with without_collecting():
            everything = find_references(self._keys, files, self.project, self.speaking_of)
        found.references, more = capped(everything)
        found.left_out += self.snapshot.left_out
        found.left_out += [f"{key} stands in {count:,} more places." for key, count in more.items()]
        if extinct:
            standing = {one.key for one in everything}
            found.extinctions = self._extinctions([key for key in self._keys if key not in standing])
        return found

    def hunks(self, references: Iterable[Reference]) -> list[Hunk]:
        return hunks(references, lambda path: lines_of(self.snapshot.text(path) or b""))

    def around(self, reference: Reference) -> str:
        """The line with two before and after it."""
        return "\n".join(around(lines_of(self.snapshot.text(reference.path) or b""), reference.line)[1])

    def speaking_of(self, names: Collection[str]) -> list[str]:
        """Python files in which any of the names stands."""
        search = KeySearch(self._clone, names, word(names), _words, memory="flag-names")
        paths = [path for path in search.paths(self.snapshot) if path.endswith((".py", ".pyi"))]
        self.snapshot.load(paths)
        return paths

    def _extinctions(self, keys: Sequence[str]) -> list[Extinction]:
        """The whole history in one pass. A key that went in a way git's log does not show has no answer."""
        if not keys:
            return []
        output = self._clone.stream("log", "--topo-order", *DIFF_ARGUMENTS, f"-G{flags_pattern(keys)}", "HEAD")
        last: dict[str, str] = {}
        for sha, balance in flags_balance(parse_diffs(split_lines(output)), keys):
            for key, more in balance.items():
                if more < 0 and key not in last and not self._stands_at(sha, key):
                    last[key] = sha
        commits = self._clone.commits(sorted(set(last.values())))
        return [
            Extinction(key, sha, commits[sha].subject, commits[sha].authored_at)
            for key, sha in sorted(last.items())
            if sha in commits
        ]

    def _stands_at(self, sha: str, key: str) -> bool:
        """Whether another reference was left at that commit, on a branch of its own perhaps."""
        listed = self._clone.search("grep", "-h", "-I", "--no-recurse-submodules", "-F", "-e", key, sha)
        return bool(listed) and bool(key_pattern([key]).search(listed or b""))


def _words(names: Iterable[str]) -> str:
    alternatives = "|".join(re.escape(name) for name in sorted(set(names), key=len, reverse=True))
    return rf"(?<!\w)(?:{alternatives})(?!\w)"


def tell_flags(client: Client, clone: Clone, repository: Mapping[str, Any], keys: Collection[str] = ()) -> FlagsFound:
    """Look for these flags, or for all the product has, and tell the server where they stand."""
    wanted = list(keys) or product_keys(client)
    search = FlagSearch(clone, wanted)
    found = search.run()
    send_flags(client, search, found, repository)
    return found


def product_keys(client: Client) -> list[str]:
    """Keys of all flags, the archived ones too: their code may be left."""
    path = f"/products/{client.product}/flags"
    return sorted({flag["key"] for flag in [*client.get(path), *client.get(path, archived=True)]})


def send_flags(client: Client, search: FlagSearch, found: FlagsFound, repository: Mapping[str, Any]) -> None:
    """In pieces that stay small; lines of code only where they may be stored."""
    if not found.keys:
        return
    path = f"/products/{client.product}/repositories/{repository['id']}/flag-references"
    body = {
        "root_sha": repository["root_sha"],
        "rev": found.sha,
        "keys": found.keys,
        "left_out": [shown_path(sentence) for sentence in found.left_out],
    }
    extinctions = [{**vars(one), "at": one.at.isoformat()} for one in found.extinctions]
    for start in range(0, len(found.references) or 1, REFERENCES_AT_ONCE):
        some = found.references[start : start + REFERENCES_AT_ONCE]
        references = [_told(search, one, with_code=repository["with_code"] or repository["with_hunks"]) for one in some]
        is_first = start == 0
        more = {"references": references, "extinctions": extinctions if is_first else [], "is_first": is_first}
        client.post(path, {**body, **more})


def _told(search: FlagSearch, one: Reference, *, with_code: bool) -> dict[str, Any]:
    return {
        "key": one.key,
        "path": shown_path(one.path),
        "line": one.line,
        "how": one.how,
        "says": one.says,
        "alias": one.alias,
        "hunk": search.around(one) if with_code else None,
    }
