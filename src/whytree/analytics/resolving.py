"""From a question's words to what the store can ask: cohorts become rules, what is known of people becomes these people."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from whytree.errors import Invalid
from whytree.people.queries import people_with_trait
from whytree.stores.cohorts import These
from whytree.stores.filters import AllOf, AnyOf, By, Condition, Filter, Membership, Selection
from whytree.workspace.models import Product

from .questions import COHORT, PERSON_TRAIT, filter_words

MOST_PEOPLE = 200_000


def ready(product: Product, selections: Iterable[Selection]) -> tuple[Selection, ...]:
    """The same selections with every filter as the store knows it."""
    return tuple(
        replace(one, filters=tuple(_condition(product, condition) for condition in one.filters)) for one in selections
    )


def ready_by(product: Product, by: Sequence[str]) -> tuple[By, ...]:
    """What groups are told apart by."""
    found: list[By] = []
    for one in by:
        if one.startswith(PERSON_TRAIT):
            raise Invalid(
                "Groups are told apart by what events say. Filter by what is known of people, or make a cohort."
            )
        found.append(_cohort(product, one) if one.startswith(COHORT) else one)
    return tuple(found)


def _condition(product: Product, one: Condition) -> Condition:
    if isinstance(one, AnyOf | AllOf):
        return replace(one, parts=tuple(_condition(product, part) for part in one.parts))
    if isinstance(one, Filter) and one.field.startswith(COHORT):
        return _cohort(product, one.field, inside=one.operator == "is set")
    if isinstance(one, Filter) and one.field.startswith(PERSON_TRAIT):
        return _trait(product, one)
    return one


def _cohort(product: Product, field: str, *, inside: bool = True) -> Membership:
    from .cohorts.queries import rule_named  # cohorts are made of questions' parts themselves

    key = field.removeprefix(COHORT)
    return Membership(rule_named(product, key), product.pk, key, inside)


def _trait(product: Product, one: Filter) -> Membership:
    """Those of whom it is known now, whatever it was when the event happened."""
    trait = one.field.removeprefix(PERSON_TRAIT)
    persons = people_with_trait(product, trait, one.operator, one.values)
    if len(persons) > MOST_PEOPLE:
        raise Invalid(f"{len(persons):,} people are {filter_words(one)}: too many for a filter. Make a cohort of them.")
    return Membership(These(tuple(sorted(persons))), product.pk, filter_words(one))
