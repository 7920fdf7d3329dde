"""What a flag was after each change: who made it, what differed, field by field. Read from the activity list."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from whytree.engines.flags import percent
from whytree.engines.flags.rules.cohorts import split
from whytree.engines.flags.rules.describing import laid_out
from whytree.workspace.models import Product
from whytree.workspace.records.activity import activity_for, snapshot

from ..models import PLACED, ExclusionGroup, Flag

# Fields that a person knows, with their names, in the order of the page.
SHOWN = {
    "is_on": "Switch",
    "coverage": "Coverage",
    "weights": "Weights",
    "variants": "Variants",
    "default_variant": "Default variant",
    "off_variant": "Off variant",
    "targeting": "Rule",
    "overrides": "Overrides",
    "prerequisites": "Needs",
    "on_from": "From",
    "on_until": "Until",
    "unit": "Given by",
    "is_sticky": "Sticky",
    "switching": "Switches",
    "group_id": "Exclusion group",
    "group_start": "First place",
    "group_end": "Last place",
    "heeds_holdout": "Heeds the holdout",
    "salt": "Salt",
    "bucketing": "Bucketing",
    "arm_order": "Order",
    "metadata": "Metadata",
    "name": "Name",
    "kind": "Kind",
    "archived_at": "Archived",
}
DEFAULTS = {
    field.attname: field.get_default() for field in Flag._meta.concrete_fields if field.has_default() or field.null
}


@dataclass(frozen=True)
class Difference:
    """One field before and after, as text."""

    field: str
    before: str
    after: str

    @property
    def is_long(self) -> bool:
        """Worth a fold of its own on a page."""
        return "\n" in self.before + self.after or len(self.before + self.after) > 160

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Line by line what went ("−"), came ("+") and stayed (" ")."""
        signs = {"- ": "−", "+ ": "+", "  ": " "}
        compared = difflib.ndiff(self.before.splitlines(), self.after.splitlines())
        return [(signs[line[:2]], line[2:]) for line in compared if line[:2] in signs]


VERBS = {
    "create_flag": "made",
    "edit_flag": "edited",
    "set_rollout": "rollout changed",
    "open_flag": "opened",
    "turn_on": "turned on",
    "turn_off": "turned off",
    "set_rules": "rules changed",
    "go_back": "taken back to an earlier state",
    "allocate_flag": "shared out by results",
    "archive_flag": "archived",
    "restore_flag": "taken out of the archive",
    "heed_holdout": "holdout heeded or not",
    "import_flags": "moved in",
    "copy_flag": "copied from another environment",
    "settle_flag": "made what was decided",
    "undo": "last change taken back",
}


@dataclass(frozen=True)
class Version:
    """The flag after one change. `is_now` is what answers at present."""

    id: int
    at: datetime
    by: str
    verb: str
    differences: list[Difference]
    is_now: bool
    can_return: bool

    @property
    def says(self) -> str:
        return VERBS.get(self.verb, self.verb.replace("_", " "))


def versions(flag: Flag) -> list[Version]:
    """Every change where the flag is looked at, newest first."""
    groups = dict(ExclusionGroup.objects.filter(product=flag.product).values_list("pk", "key"))
    found: list[Version] = []
    subject = flag if flag.environment is None else flag.state_there
    for activity in activity_for(subject) if subject is not None else ():
        before, after = activity.before or {}, activity.after or {}
        differences = [] if not before else _differences(before, after, groups)
        if before and not differences:
            continue
        is_now = not found
        can_return = not is_now and bool(after) and not after.get("archived_at")
        found.append(Version(activity.pk, activity.at, activity.actor, activity.verb, differences, is_now, can_return))
    return found


def differences(product: Product, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What differs between two states, as pages show it; fields that neither names are the same."""
    groups = dict(ExclusionGroup.objects.filter(product=product).values_list("pk", "key"))
    return _differences(before, after, groups)


def between(flag: Flag, other: Flag) -> list[Difference]:
    """What differs between two environments."""
    one, two = snapshot(flag), snapshot(other)
    return differences(flag.product, {name: one[name] for name in PLACED}, {name: two[name] for name in PLACED})


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], groups: Mapping[int, str]) -> list[Difference]:
    found = []
    for field, label in SHOWN.items():
        # A state written before a field existed had its default.
        old, new = before.get(field, DEFAULTS.get(field)), after.get(field, DEFAULTS.get(field))
        if field == "targeting":
            (old_cohorts, old), (new_cohorts, new) = split(old), split(new)
            if old_cohorts != new_cohorts:
                found.append(Difference("Cohorts", _lines(old_cohorts), _lines(new_cohorts)))
        if old != new:
            found.append(Difference(label, _text(field, old, groups), _text(field, new, groups)))
    return found


def _lines(given: Mapping[str, str]) -> str:
    """Cohorts and the variants of their people, as the page's form takes them."""
    return ", ".join(f"{cohort} = {variant}" for cohort, variant in given.items()) or "none"


def _text(field: str, value: Any, groups: Mapping[int, str]) -> str:
    if field == "archived_at":
        return "yes" if value else "no"
    if value is None or value in ({}, []):
        return "none"
    if field == "is_on":
        return "on" if value else "off"
    if field == "coverage":
        return percent(value)
    if field == "group_id":
        return groups.get(value, "gone")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return laid_out(value) if field == "targeting" else json.dumps(value, ensure_ascii=False)
    return str(value) or "none"
