"""The part of a flag's page that singles people out, and the way back to an earlier state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from whytree.analytics.cohorts.queries import list_cohorts
from whytree.engines.flags.rules.cohorts import split
from whytree.engines.flags.rules.describing import in_words, laid_out
from whytree.engines.typed import number_of, optional_moment, whole_of
from whytree.errors import Conflict, Invalid
from whytree.workspace.entry.doors import PageRequest, page
from whytree.workspace.entry.environments import USUAL, environments_of, find_environment
from whytree.workspace.models import Product
from whytree.workspace.rights.access import may
from whytree.workspace.rights.roles import Role

from .. import queries, services
from ..environments.pages import find_here, told
from ..models import BucketBy, Flag
from .definition import basis_points
from .reading import json_object, pairs_of, rule_in


def rule_context(flag: Flag, form: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the section shows; `form` is what somebody sent and could not be taken."""
    product = flag.product
    return {
        "rule_sentences": queries.rule_sentences(flag),
        "rule_form": form or _form_of(flag),
        "will_lock_by_rule": will_lock(flag),
        "units": BucketBy.choices,
        "conditions": queries.list_conditions(product),
        "cohorts": list_cohorts(product),
        "holdout_percent": queries.holdout_share(product) / 100,
    }


def will_lock(flag: Flag) -> bool:
    """Whether people meeting it would lock its prediction: not those of another environment."""
    if flag.environment is not None or flag.is_open or flag.hypothesis is None:
        return False
    return not flag.hypothesis.is_locked


@dataclass(frozen=True)
class ConditionLine:
    """A condition as the list shows it."""

    key: str
    name: str
    says: str
    used_by: list[str]


def shared_context(request: PageRequest, product: Product, form: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What all flags share; `form` is a condition that somebody sent and that could not be taken."""
    lines = [
        ConditionLine(
            one.key, one.name, in_words(one.logic), [flag.key for flag in queries.referring(product, one.key)]
        )
        for one in queries.list_conditions(product)
    ]
    return {
        "conditions": lines,
        "condition_form": form or {},
        "holdout_percent": queries.holdout_share(product) / 100,
        "may_hold_out": may(request.actor, product, Role.MAINTAINER),
        "may_set_approvals": may(request.actor, product, Role.OWNER),
        "needs_approval": services.needs_approval(product.pk),
        "usual_places": [key for key in USUAL if key not in {one.key for one in environments_of(product)}],
    }


def _form_of(flag: Flag) -> dict[str, Any]:
    given, rest = split(flag.targeting)
    return {
        "targeting": "" if rest is None else laid_out(rest),
        "cohorts": "\n".join(f"{key} = {variant}" for key, variant in given.items()),
        "overrides": "\n".join(f"{unit} = {variant}" for unit, variant in flag.overrides.items()),
        "prerequisites": "\n".join(
            f"{needed['flag']} = {variant}" for needed in flag.prerequisites for variant in needed["variants"]
        ),
        "on_from": _local(flag.on_from),
        "on_until": _local(flag.on_until),
        "unit": flag.unit,
        "is_sticky": "on" if flag.is_sticky else "",
        "heeds_holdout": "on" if flag.heeds_holdout else "",
        "group": flag.group.key if flag.group else "",
        "group_start": flag.group_start,
        "group_end": flag.group_end,
    }


def _local(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") if at else ""


@require_POST
@page(Role.MEMBER)
def change_rules(request: PageRequest, product: Product, key: str) -> HttpResponse:
    """Save the whole section at once."""
    from ..pages import flag_page

    form = request.POST
    here = find_environment(product, form.get("environment", ""))

    def change() -> Flag:
        edits = _edits(form, key)
        if here is None:
            edits |= _edits_of_what_it_is(form)
        return services.set_rules(request.actor, product, key, environment=here, **edits)

    try:
        found = services.changed_or_asked(request.actor, change, words=form.get("because", ""))
    except (Invalid, Conflict) as error:
        return flag_page(request, find_here(request, product, key), error, form.dict())

    def says(flag: Flag) -> str:
        return "Saved." if flag.is_on else f"Saved. {flag.key} is off, so nobody meets it yet."

    return told(request, product, key, found, says)


def _edits(form: Mapping[str, Any], key: str) -> services.RuleEdits:
    """Who is singled out: what may differ from environment to environment."""
    text = str(form.get("targeting", "")).strip()
    return {
        "targeting": rule_in(json_object(text, "The rule"), key)[0] if text else None,
        "cohorts": pairs_of(str(form.get("cohorts", "")), "cohort"),
        "overrides": pairs_of(str(form.get("overrides", "")), "override"),
        "prerequisites": _needed(str(form.get("prerequisites", ""))),
        "on_from": optional_moment(str(form.get("on_from", ""))),
        "on_until": optional_moment(str(form.get("on_until", ""))),
    }


def _edits_of_what_it_is(form: Mapping[str, Any]) -> services.RuleEdits:
    return {
        "unit": str(form.get("unit", BucketBy.PERSON.value)),
        "is_sticky": form.get("is_sticky") == "on",
        "heeds_holdout": form.get("heeds_holdout") == "on",
        "group": str(form.get("group", "")),
        "group_start": _place(form.get("group_start"), 0),
        "group_end": _place(form.get("group_end"), 10_000),
    }


def _needed(text: str) -> list[dict[str, Any]]:
    found: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        flag, sign, variant = (part.strip() for part in line.partition("="))
        if not (flag and sign and variant):
            raise Invalid(f"{line!r} is no flag it needs. Write one on each line, as flag = variant.")
        found.setdefault(flag, []).append(variant)
    return [{"flag": flag, "variants": variants} for flag, variants in found.items()]


def _place(text: Any, otherwise: int) -> int:
    return whole_of(str(text or otherwise), "Places in a group are whole numbers from 0 to 10,000.")


@require_POST
@page(Role.MEMBER)
def go_back(request: PageRequest, product: Product, key: str, version: int) -> HttpResponse:
    """Take up an earlier state again."""
    from ..pages import flag_page

    here = find_environment(product, request.POST.get("environment", ""))

    def change() -> Flag:
        return services.go_back(request.actor, product, key, version, environment=here)

    try:
        found = services.changed_or_asked(request.actor, change, words=request.POST.get("because", ""))
    except (Invalid, Conflict) as error:
        return flag_page(request, find_here(request, product, key), error)
    return told(request, product, key, found, lambda flag: f"{flag.key} is {flag.state}, as it was then.")


@require_POST
@page(Role.MEMBER)
def save_condition(request: PageRequest, product: Product) -> HttpResponse:
    """Make or change a named condition."""
    from ..pages import flag_list

    form = request.POST
    try:
        logic = json_object(form.get("logic", ""), "The condition")
        made = services.set_condition(request.actor, product, form.get("key", ""), logic, name=form.get("name", ""))
    except (Invalid, Conflict) as error:
        return flag_list(request, product, condition_error=error)
    messages.success(request, f"{made.key} is saved.")
    return redirect("flags", product.slug)


@require_POST
@page(Role.MAINTAINER)
def save_holdout(request: PageRequest, product: Product) -> HttpResponse:
    """The share of the people who meet no change."""
    from ..pages import flag_list

    try:
        share = number_of(request.POST.get("percent", ""), "Give the holdout as a number of percent, as in 5.")
        held = services.set_holdout(request.actor, product, basis_points(share, of="A holdout"))
    except Invalid as error:
        return flag_list(request, product, condition_error=error)
    messages.success(request, f"{held.share / 100:g} % are held out." if held.share else "Nobody is held out any more.")
    return redirect("flags", product.slug)
