"""What `/api/openapi.json` says of bodies: where two rooms call one of theirs `PlanIn`, these are two, and each is described.

Ninja files a description under its class's name alone, and the last of a name would stand for all of them.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from ninja import Schema
from ninja.openapi import schema as described
from ninja.schema import NinjaGenerateJsonSchema

_NO_ROOMS = {"whytree", "api", "schemas"}


class ByRoom(NinjaGenerateJsonSchema):
    """A name that several rooms use gets its room behind it: `PlanIn_experiments`, `PlanIn_events_plan`."""

    def get_defs_ref(self, core_mode_ref: Any) -> Any:
        found = super().get_defs_ref(core_mode_ref)
        choices = self._prioritized_defsref_choices[found]
        if choices[0] in _used_by_several():
            *module, name = core_mode_ref[0].rpartition(":")[0].split(".")
            choices[:2] = [_with_room(module, name)]
        return found


def _with_room(module: list[str], name: str) -> Any:
    return "_".join([name, *(part for part in module if part not in _NO_ROOMS)])


@cache
def _used_by_several() -> set[str]:
    names = Counter(one.__name__ for one in _all_of(Schema) if one.__module__.startswith("whytree."))
    return {name for name, times in names.items() if times > 1}


def _all_of(kind: type[Any]) -> Iterator[type[Any]]:
    for one in kind.__subclasses__():
        yield one
        yield from _all_of(one)


def describe_by_room() -> None:
    """Ninja asks for its generator by name where it stands."""
    described.NinjaGenerateJsonSchema = ByRoom  # type: ignore[attr-defined]  # imported there, not exported
