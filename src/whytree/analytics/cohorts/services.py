"""What may change cohorts."""

from collections.abc import Collection, Iterable
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.people.identity import MAX_ID, person_hash
from whytree.stores.pieces import cohorts as store
from whytree.workspace.models import Activity, Product
from whytree.workspace.records.activity import record, snapshot
from whytree.workspace.rights.access import require
from whytree.workspace.rights.actors import Actor
from whytree.workspace.rights.roles import Role
from whytree.workspace.sockets import tell_fact

from ..models import Cohort, CohortSize
from .definitions import List, as_json, checked_definition, cohorts_of
from .queries import definition_of, find_cohort, list_cohorts, refuse_unseen, rule_for, rule_of

#: Would hide behind the page that makes a new one.
RESERVED = frozenset({"new"})
MOST_LISTED = 1_000_000


class CohortEdits(TypedDict, total=False):
    name: str
    definition: object


@transaction.atomic
def create_cohort(actor: Actor, product: Product, *, key: str, definition: object, name: str = "") -> Cohort:
    """A group of people told by a rule. Without a name it is called by its key."""
    require(actor, product, Role.MEMBER)
    cohort = _made(actor, product, key, name, definition)
    if cohort.is_list:
        raise Invalid("A list comes with its people: send their ids along.")
    record(actor, product, "create_cohort", cohort)
    _note_size(cohort)
    return cohort


@transaction.atomic
def create_cohort_list(actor: Actor, product: Product, *, key: str, ids: Iterable[str], name: str = "") -> Cohort:
    """A group of people from a list of ids, each any of a person's."""
    require(actor, product, Role.MEMBER)
    return _create_list(actor, product, key=key, name=name, persons=_hashed(product, ids))


@transaction.atomic
def create_cohort_of(actor: Actor, product: Product, *, key: str, persons: Collection[int], name: str = "") -> Cohort:
    """A group of those behind a number, as they are now."""
    require(actor, product, Role.MEMBER)
    return _create_list(actor, product, key=key, name=name, persons=persons)


def _create_list(actor: Actor, product: Product, *, key: str, name: str, persons: Collection[int]) -> Cohort:
    if not persons:
        raise Invalid("There is nobody on this list.")
    cohort = _made(actor, product, key, name, as_json(List()))
    cohort.version = 1
    cohort.save(update_fields=["version"])
    store.write_members(product.pk, cohort.pk, cohort.version, persons)
    record(actor, product, "create_cohort", cohort, after=snapshot(cohort) | {"people": len(persons)}, undoable=False)
    _note_size(cohort)
    return cohort


@transaction.atomic
def edit_cohort(actor: Actor, product: Product, key: str, **edits: Unpack[CohortEdits]) -> Cohort:
    """Change its name or its rule. The key stays: filters name it."""
    require(actor, product, Role.MEMBER)
    cohort = find_cohort(product, key)
    before = snapshot(cohort)
    if "definition" in edits:
        checked = checked_definition(edits["definition"])
        if cohort.is_list != isinstance(checked, List):
            raise Invalid("A list stays a list and a rule a rule. Make a new cohort.")
        refuse_unseen(product, checked)
        cohort.definition = as_json(checked)
        rule_of(cohort)  # refuses cohorts that name each other
        if cohort.definition != before["definition"]:
            _tell_changing(cohort)
    if "name" in edits:
        cohort.name = edits["name"].strip() or cohort.key
    if snapshot(cohort) == before:
        return cohort
    _save(cohort)
    record(actor, product, "edit_cohort", cohort, before=before, after=snapshot(cohort))
    _note_size(cohort)
    return cohort


@transaction.atomic
def replace_cohort_list(actor: Actor, product: Product, key: str, ids: Iterable[str]) -> Cohort:
    """Put other people on a list. Whoever looks meanwhile sees the old ones or the new ones, never some of both."""
    require(actor, product, Role.MEMBER)
    cohort = find_cohort(product, key)
    if not cohort.is_list:
        raise Invalid(f"{cohort.name} is told by a rule. Edit the rule instead.")
    persons = _hashed(product, ids)
    if not persons:
        raise Invalid("There is nobody on this list.")
    _tell_changing(cohort)
    before = snapshot(cohort)
    cohort.version += 1
    store.write_members(product.pk, cohort.pk, cohort.version, persons)
    _save(cohort)
    after = snapshot(cohort) | {"people": len(persons)}
    record(actor, product, "replace_cohort_list", cohort, before=before, after=after, undoable=False)
    version = cohort.version
    transaction.on_commit(lambda: store.forget_members(product.pk, cohort.pk, but=version))
    _note_size(cohort)
    return cohort


def refuse_undo(product: Product, activity: Activity) -> None:
    """An edit that is taken back is one more, and a cohort that was never made is one that leaves."""
    if activity.subject_type != Cohort._meta.label or not activity.after:
        return
    if not activity.before:
        tell_fact("cohort_leaving", product=product, key=activity.after["key"])
    elif activity.before["definition"] != activity.after["definition"]:
        _tell_changing(find_cohort(product, activity.before["key"]))


def _tell_changing(cohort: Cohort) -> None:
    """With every cohort that names it, whether itself or by another one."""
    named = {one.key: set(cohorts_of(definition_of(one))) for one in list_cohorts(cohort.product)}
    keys = {cohort.key}
    while more := {key for key, names in named.items() if names & keys} - keys:
        keys |= more
    tell_fact("cohort_changing", product=cohort.product, keys=sorted(keys))


@transaction.atomic
def delete_cohort(actor: Actor, product: Product, key: str) -> None:
    """Remove a cohort that no other one names. The people stay."""
    require(actor, product, Role.MEMBER)
    cohort = find_cohort(product, key)
    users = [other.key for other in list_cohorts(product) if key in cohorts_of(definition_of(other))]
    if users:
        raise Conflict(f"{', '.join(users[:5])} names it. Take it out there first.")
    tell_fact("cohort_leaving", product=product, key=key)
    pk, is_list = cohort.pk, cohort.is_list
    record(actor, product, "delete_cohort", cohort, before=snapshot(cohort), after=None, undoable=not is_list)
    cohort.delete()
    if is_list:
        transaction.on_commit(lambda: store.forget_members(product.pk, pk))


def note_sizes(product: Product) -> int:
    """Write down how many people each cohort has today; how many cohorts there are."""
    cohorts = list(list_cohorts(product))
    for cohort in cohorts:
        _note_size(cohort)
    return len(cohorts)


def _note_size(cohort: Cohort) -> None:
    people = store.size(cohort.product_id, rule_of(cohort))
    today = cohort.product.there(timezone.now()).date()
    CohortSize.objects.update_or_create(cohort=cohort, day=today, defaults={"people": people})


def _made(actor: Actor, product: Product, key: str, name: str, definition: object) -> Cohort:
    key, checked = key.strip(), checked_definition(definition)
    if key in RESERVED:
        raise Invalid(f"{key!r} is an address of ours. Choose another key.")
    if Cohort.objects.filter(product=product, key=key).exists():
        raise Conflict(f"There is a cohort {key} already. Edit it, or choose another key.")
    refuse_unseen(product, checked)
    rule_for(product, checked)
    cohort = Cohort(
        product=product,
        key=key,
        name=name.strip() or key,
        definition=as_json(checked),
        created_by_id=actor.user_id,
    )
    _save(cohort)
    return cohort


def _hashed(product: Product, ids: Iterable[str]) -> set[int]:
    found: set[int] = set()
    for one in ids:
        text = one.strip()
        if not text:
            continue
        if len(text) > MAX_ID or "\x00" in text:
            raise Invalid(f"{text[:40]!r} is no id of a person: at most {MAX_ID} characters.")
        found.add(person_hash(product.pk, text))
        if len(found) > MOST_LISTED:
            raise Invalid(f"A list has {MOST_LISTED:,} people at most. Split it, or write a rule.")
    return found


def _save(cohort: Cohort) -> None:
    try:
        cohort.full_clean()
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        said = f"{field.replace('_', ' ').capitalize()}: {problems[0]}"
        raise Invalid(said, details=dict(error.message_dict)) from error
    cohort.save()
