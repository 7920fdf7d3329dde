"""`whytree flag references`: look for flags in a clone, tell the server, show what was found."""

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from whytree.code.clone.git import Clone, open_clone, shown_path
from whytree.code.scanning.flag_search import FlagSearch, FlagsFound, product_keys, send_flags
from whytree.code.scanning.telling import registered
from whytree.engines.code.flag_references import as_csv, csv_name
from whytree.workspace.terminal.client import Client, CommandError
from whytree.workspace.terminal.printing import say

SHOWN = 20  # places of one flag


@dataclass
class Looked:
    """What one look found. `repository` is None while the clone was not added: nothing was told then."""

    product: str
    clone: Clone
    search: FlagSearch
    found: FlagsFound
    repository: dict[str, Any] | None
    csv: str = ""

    def write_csv(self, folder: Path) -> None:
        name = str(self.repository["name"]) if self.repository else self.clone.root.name
        target = folder / csv_name(name, self.product, self.found.sha)
        text = as_csv(self.search.hunks(self.found.references), self.product)
        try:
            target.write_text(shown_path(text), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}. Name a folder that is there.") from error
        self.csv = str(target)

    def as_json(self) -> dict[str, Any]:
        return {
            "commit": self.found.sha,
            "keys": self.found.keys,
            "references": [
                {
                    "key": one.key,
                    "path": shown_path(one.path),
                    "line": one.line,
                    "how": one.how,
                    "says": one.says,
                    "alias": one.alias,
                }
                for one in self.found.references
            ],
            "extinctions": [{**vars(one), "at": one.at.isoformat()} for one in self.found.extinctions],
            "left_out": [shown_path(sentence) for sentence in self.found.left_out],
            "repository": self.repository["name"] if self.repository else None,
            "csv": self.csv or None,
        }


def look(client: Client, path: Path, keys: list[str]) -> Looked:
    """Look for these flags, or all, at the clone's HEAD, and tell the server when it knows the clone."""
    clone = open_clone(path)
    if not clone.head:
        raise CommandError(f"{clone.root} has no commit yet. Commit something, then look.")
    search = FlagSearch(clone, keys or product_keys(client))
    found = search.run()
    repository = registered(client, clone)
    if repository is not None:
        send_flags(client, search, found, repository)
    return Looked(client.product, clone, search, found, repository)


def print_found(looked: Looked) -> None:
    found = looked.found
    if not found.keys:
        say("There is no flag yet. Make one: whytree flag add KEY, or name what to look for.")
        return
    extinct = {one.key: one for one in found.extinctions}
    standing = {key: list(some) for key, some in groupby(found.references, key=lambda one: one.key)}
    for key in found.keys:
        places = standing.get(key, [])
        if not places:
            gone = extinct.get(key)
            went = (
                f"its last reference went with {gone.sha[:7]} {gone.subject} ({gone.at:%Y-%m-%d})"
                if gone
                else "stands nowhere, and no commit is known that took it away"
            )
            say(f"{key}: {went}")
            continue
        resolved = sum(one.how == "resolved" for one in places)
        say(f"{key}: {len(places):,} {'place' if len(places) == 1 else 'places'}, {resolved:,} resolved")
        for one in places[:SHOWN]:
            how = "resolved" if one.how == "resolved" else "text match"
            says = f"  {one.says}" if one.says else ""
            say(f"  {shown_path(one.path)}:{one.line}  {how}{says}")
        if len(places) > SHOWN:
            say(f"  and {len(places) - SHOWN:,} more; --json shows all")
    for sentence in found.left_out:
        say(shown_path(sentence))
    if looked.csv:
        say(f"Written: {looked.csv}")
    if looked.repository is None:
        say("Nobody was told: this clone was not added yet. Add it: whytree repository add .")
