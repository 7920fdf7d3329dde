"""What flags plug into the workspace's sockets, and how a written flag reaches every process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.urls import reverse

from whytree.people.queries import PersonRef
from whytree.tree.models import Solution
from whytree.workspace.actors import Actor
from whytree.workspace.models import Activity, Product
from whytree.workspace.sockets import (
    Chip,
    Figure,
    Hit,
    Panel,
    plug_erase,
    plug_export,
    plug_figure,
    plug_panel,
    plug_search,
    plug_variants,
)

from . import asking, live
from .live import flags_in_force, tell_in_force
from .models import Flag, FlagCondition, Holdout, KeptVariant
from .queries import flags_by_solution, list_flags
from .retiring import removable


def plug() -> None:
    """Called once at start-up. The signals also see what no service wrote: an undo, a restored backup."""
    post_save.connect(_saved, sender=Flag, dispatch_uid="flags.saved")
    post_delete.connect(_deleted, sender=Flag, dispatch_uid="flags.deleted")
    for shared in (FlagCondition, Holdout):
        post_save.connect(_saved, sender=shared, dispatch_uid=f"flags.{shared.__name__}.saved")
        post_delete.connect(_deleted, sender=shared, dispatch_uid=f"flags.{shared.__name__}.deleted")
    plug_erase(erase_person)
    plug_export(export_person)
    plug_variants(tell_in_force)
    plug_panel("solution", solution_panel, order=20)
    plug_panel("person", person_panel, order=30)
    plug_panel("today", today_panel, order=40)
    plug_figure("solution", solution_figures)
    plug_search(search_flags)


def _saved(instance: Flag, **_: Any) -> None:
    live.changed(instance.product_id)


def _deleted(instance: Flag, **_: Any) -> None:
    live.changed(instance.product_id)


def solution_panel(actor: Actor, product: Product, solution: Solution) -> Panel | None:
    """The solution's flags, or how to make one while there is something to ship."""
    flags = flags_by_solution(product, [solution.pk]).get(solution.pk, [])
    if not flags and solution.is_closed:
        return None
    context = {"product": product, "solution": solution, "flags": flags}
    return Panel("Flag" if len(flags) < 2 else "Flags", "flags/_solution_panel.html", context, column="aside")


def today_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """Flags whose question is answered and whose code is still there."""
    ready = removable(product)
    if not ready:
        return None
    says = "One flag can go." if len(ready) == 1 else f"{len(ready)} flags can go."
    context = {"product": product, "ready": ready[:5], "more": len(ready) - 5}
    return Panel("Can go", "flags/_today_panel.html", context, column="aside", headline=says)


@dataclass(frozen=True)
class InForce:
    """What a person gets of one flag. `others` are their ids that get something else: two devices, two arms."""

    key: str
    variant: str
    others: dict[str, str]


def person_panel(actor: Actor, product: Product, person: PersonRef) -> Panel | None:
    """The open flags that include this person, by their main id."""
    by_id = {each: flags_in_force(product.pk, each) for each in (person.key, *person.other_ids)}
    mine = by_id.pop(person.key)
    rows = [
        InForce(key, variant, {each: got.get(key, "") for each, got in by_id.items() if got.get(key) != variant})
        for key, variant in sorted(mine.items())
    ]
    if not rows:
        return None
    context = {"product": product, "person": person, "rows": rows}
    return Panel("Flags", "flags/_person_panel.html", context, column="aside")


def solution_figures(product: Product, solutions: Sequence[Solution]) -> dict[int, Figure]:
    """A chip for each flag: "flag on 25 %"."""
    by_solution = flags_by_solution(product, [solution.pk for solution in solutions])
    return {pk: Figure(chips=[_chip(flag) for flag in flags]) for pk, flags in by_solution.items()}


def _chip(flag: Flag) -> Chip:
    return Chip(f"flag {flag.standing}", "blue" if flag.is_open else "")


def search_flags(actor: Actor, product: Product, words: str, limit: int) -> list[Hit]:
    """Flags whose key or name holds the words; `flag:key` means the key."""
    wanted = words.strip().removeprefix("flag:")
    if not wanted:
        return []
    flags = list_flags(product).filter(Q(key__icontains=wanted) | Q(name__icontains=wanted))[:limit]
    return [
        Hit(
            "flag",
            flag.key,
            flag.name or flag.state,
            reverse("flag", args=[product.slug, flag.key]),
            _rank(flag, wanted),
        )
        for flag in flags
    ]


def _rank(flag: Flag, wanted: str) -> float:
    if flag.key.lower() == wanted.lower():
        return 1.0
    return 0.8 if flag.key.lower().startswith(wanted.lower()) else 0.5


def erase_person(product: Product, person_key: str) -> int:
    """Take somebody's overrides and kept variants away, and the overrides out of what the activity list remembers."""
    gone, _ = KeptVariant.objects.filter(flag__product=product, unit=person_key).delete()
    for flag in Flag.objects.filter(product=product, overrides__has_key=person_key):
        flag.overrides = {unit: name for unit, name in flag.overrides.items() if unit != person_key}
        flag.save()
        gone += 1
    for activity in Activity.objects.filter(product=product, subject_type=Flag._meta.label):
        changed = [_without(side, person_key) for side in (activity.before, activity.after)]
        if any(changed):
            activity.save(update_fields=["before", "after"])
    asking.forget()
    return gone


def _without(state: dict[str, Any] | None, person_key: str) -> bool:
    return bool(state) and (state or {}).get("overrides", {}).pop(person_key, None) is not None


def export_person(product: Product, person_key: str) -> dict[str, Any]:
    """The variants that were set or kept for somebody."""
    chosen = {
        flag.key: flag.overrides[person_key]
        for flag in Flag.objects.filter(product=product, overrides__has_key=person_key)
    }
    kept = KeptVariant.objects.filter(flag__product=product, unit=person_key).values_list("flag__key", "variant")
    return {"flag_overrides": chosen, "kept_variants": dict(kept)}
