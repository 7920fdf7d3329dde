"""What flags plug into the workspace's sockets, and how a written flag reaches every process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.urls import reverse

from whytree.analytics.models import Cohort
from whytree.errors import Conflict
from whytree.people.queries import PersonRef
from whytree.tree.models import Solution
from whytree.workspace.models import Activity, Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import (
    Chip,
    Figure,
    Hit,
    Panel,
    on_fact,
    plug_erase,
    plug_export,
    plug_figure,
    plug_panel,
    plug_search,
    plug_variants,
)

from .evaluation import asking, live
from .evaluation.live import flags_in_force, tell_in_force
from .in_code.retiring import removable
from .models import ChangeRequest, Flag, FlagCondition, FlagState, Holdout, KeptVariant
from .queries import asking_for, flags_by_solution, flags_of, list_flags, list_requests, turned_down
from .services import follow_cohort, is_own, needs_approval, refuse_unapproved_cohort
from .services.changing import ANSWERS


def plug() -> None:
    """Called once at start-up. The signals also see what no service wrote: an undo, a restored backup."""
    post_save.connect(_saved, sender=Flag, dispatch_uid="flags.saved")
    post_delete.connect(_deleted, sender=Flag, dispatch_uid="flags.deleted")
    post_save.connect(_state_saved, sender=FlagState, dispatch_uid="flags.FlagState.saved")
    post_delete.connect(_state_saved, sender=FlagState, dispatch_uid="flags.FlagState.deleted")
    for shared in (FlagCondition, Holdout):
        post_save.connect(_saved, sender=shared, dispatch_uid=f"flags.{shared.__name__}.saved")
        post_delete.connect(_deleted, sender=shared, dispatch_uid=f"flags.{shared.__name__}.deleted")
    post_save.connect(_cohort_saved, sender=Cohort, dispatch_uid="flags.Cohort.saved")
    on_fact("cohort_leaving", refuse_to_lose_cohort)
    on_fact("cohort_changing", refuse_unapproved_cohort)
    on_fact("act_undone", refuse_undo_unapproved)
    plug_erase(erase_person)
    plug_export(export_person)
    plug_variants(tell_in_force)
    plug_panel("solution", solution_panel, order=20)
    plug_panel("person", person_panel, order=30)
    plug_panel("today", waiting_panel, order=15)
    plug_panel("today", today_panel, order=40)
    plug_figure("solution", solution_figures)
    plug_search(search_flags)


def _saved(instance: Flag, **_: Any) -> None:
    live.changed(instance.product_id)


def _state_saved(instance: FlagState, **_: Any) -> None:
    product_id = Flag.objects.filter(pk=instance.flag_id).values_list("product_id", flat=True).first()
    if product_id is not None:  # else the flag itself is on its way out, which says so too
        live.changed(product_id)


def _deleted(instance: Flag, **_: Any) -> None:
    live.changed(instance.product_id)


def _cohort_saved(instance: Cohort, **_: Any) -> None:
    follow_cohort(instance)


def refuse_to_lose_cohort(product: Product, key: str) -> None:
    """Nobody would belong to it any more, and people would change variant without a word."""
    users = sorted({flag.key for flag in asking_for(product, key)})
    if users:
        raise Conflict(
            f"The {'flag' if len(users) == 1 else 'flags'} {', '.join(users[:5])} {'asks' if len(users) == 1 else 'ask'} "
            f"for {key}. Take it out of {'that rule' if len(users) == 1 else 'those rules'} first."
        )


def refuse_undo_unapproved(product: Product, activity: Activity) -> None:
    """To take a change of what people get back is a change of it."""
    before, after = activity.before, activity.after
    if activity.subject_type != Flag._meta.label or not before or not after or not needs_approval(product.pk):
        return
    if any(before.get(name) != after.get(name) for name in ANSWERS):
        raise Conflict("Changes in production need another maintainer's approval. Ask for it on the flag's page.")


def solution_panel(actor: Actor, product: Product, solution: Solution) -> Panel | None:
    """The solution's flags, or how to make one while there is something to ship."""
    flags = flags_of(solution)
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


def waiting_panel(actor: Actor, product: Product, subject: Any) -> Panel | None:
    """Changes of flags that this maintainer may approve, and what became of this actor's own where nobody did."""
    decides = may(actor, product, Role.MAINTAINER)
    waiting = [one for one in list_requests(product) if not is_own(actor, one)] if decides else []
    turned = [one for one in turned_down(Flag.objects.filter(product=product)) if is_own(actor, one)]
    if not waiting and not turned:
        return None
    several = len(waiting) > 1
    says = f"{len(waiting)} change{'s' if several else ''} of a flag {'wait' if several else 'waits'} for you."
    context = {"product": product, "waiting": waiting[:5], "turned_down": turned[:5]}
    if not waiting:
        return Panel("Not approved", "flags/_waiting_panel.html", context, column="aside")
    return Panel(
        "Waits for approval", "flags/_waiting_panel.html", context, column="aside", tone="amber", headline=says
    )


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
    for state in FlagState.objects.filter(flag__product=product, overrides__has_key=person_key):
        state.overrides.pop(person_key)
        state.save()
        gone += 1
    for request in ChangeRequest.objects.filter(flag__product=product):
        taken_out = [_without(side, person_key) for side in (request.before, request.after)]
        if any(taken_out):
            request.save(update_fields=["before", "after"])
    subjects = [model._meta.label for model in (Flag, FlagState, ChangeRequest)]
    for activity in Activity.objects.filter(product=product, subject_type__in=subjects):
        taken_out = [_without(side, person_key) for side in (activity.before, activity.after)]
        if any(taken_out):
            activity.save(update_fields=["before", "after"])
    asking.forget()
    live.forget()
    return gone


def _without(state: dict[str, Any] | None, person_key: str) -> bool:
    """Whether this person's override was in it, or in the states that a request holds; it is no more."""
    if not state:
        return False
    parts = [state, *(state[name] for name in ("before", "after") if isinstance(state.get(name), dict))]
    gone = [(part.get("overrides") or {}).pop(person_key, None) for part in parts]
    return any(gone)


def export_person(product: Product, person_key: str) -> dict[str, Any]:
    """The variants that were set or kept for somebody."""
    chosen = {
        flag.key: flag.overrides[person_key]
        for flag in Flag.objects.filter(product=product, overrides__has_key=person_key)
    }
    kept = KeptVariant.objects.filter(flag__product=product, unit=person_key).values_list("flag__key", "variant")
    there = FlagState.objects.filter(flag__product=product, overrides__has_key=person_key)
    elsewhere = {str(state): state.overrides[person_key] for state in there.select_related("flag", "environment")}
    return {"flag_overrides": chosen, "flag_overrides_elsewhere": elsewhere, "kept_variants": dict(kept)}
