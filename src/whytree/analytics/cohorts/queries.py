"""What may be asked of cohorts: who belongs, how many, since when; and whether one person does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from whytree.errors import Invalid, NotFound
from whytree.people.queries import PeopleRef, find_person
from whytree.stores.pieces import cohorts as store
from whytree.stores.pieces.filters import Filter
from whytree.workspace.models import Product

from ..measures.resolving import people_known
from ..models import Cohort, CohortSize
from ..questions import COHORT, COMPANY_TRAIT, PERSON_TRAIT, SESSION, THEN, refuse_unknown
from .definitions import (
    Definition,
    Did,
    InCohort,
    InOrder,
    Known,
    Last,
    List,
    Not,
    Part,
    Together,
    checked_definition,
    cohorts_of,
    fields_of,
    selections_of,
)

#: A cohort may name another, and that one a third.
MOST_NESTED = 10
MOST_NAMED = 200


def list_cohorts(product: Product) -> QuerySet[Cohort]:
    return Cohort.objects.filter(product=product).select_related("product")


def find_cohort(product: Product, key: str) -> Cohort:
    cohort = Cohort.objects.filter(product=product, key=key).first()
    if cohort is None:
        raise NotFound(
            f"There is no cohort {key[:80]!r} in {product.name}. `whytree cohort list` shows those there are."
        )
    return cohort


def definition_of(cohort: Cohort) -> Definition:
    return checked_definition(cohort.definition)


def events_of_rule(cohort: Cohort) -> tuple[str, ...]:
    """Those that tell who belongs; a list has none."""
    named = [event for one in selections_of(definition_of(cohort)) for event in one.events]
    return tuple(dict.fromkeys(named))


def rule_of(cohort: Cohort) -> store.Rule:
    """As the store asks it."""
    return _rule(cohort.product, cohort, definition_of(cohort), MOST_NESTED)


def rule_named(product: Product, key: str) -> store.Rule:
    """The same for a key; `Invalid` names the nearest where there is none, for whoever mistyped it in a filter."""
    refuse_missing(product, [key])
    return rule_of(find_cohort(product, key))


def rule_for(product: Product, definition: Definition) -> store.Rule:
    """The same for what is not stored yet."""
    return _rule(product, None, definition, MOST_NESTED)


def refuse_missing(product: Product, keys: Sequence[str]) -> None:
    known = list(Cohort.objects.filter(product=product).values_list("key", flat=True))
    for key in keys:
        if key not in known:
            refuse_unknown("cohort", [key], known)


def refuse_unseen(product: Product, definition: Definition) -> None:
    """`Invalid` for an event or a property nobody ever sent, for another cohort that is not there, and for what is no event's."""
    from ..answers.ground import refuse_unseen_properties
    from ..queries import refuse_unsent

    refuse_unsent(product, [event for one in selections_of(definition) for event in one.events])
    for field in fields_of(definition):
        if field.startswith((COHORT, PERSON_TRAIT, COMPANY_TRAIT, THEN, SESSION)):
            raise Invalid(
                f"“{field}” is not said by an event. What is known of people is a part of its own, {{“person”: …}}, and so is "
                "another cohort, {“cohort”: …}."
            )
    refuse_unseen_properties(product, fields_of(definition))
    refuse_missing(product, cohorts_of(definition))


def _rule(product: Product, cohort: Cohort | None, part: Definition | Part, depth: int) -> store.Rule:
    if depth == 0:
        raise Invalid("These cohorts name each other without an end. Take one of them out of the other.")
    match part:
        case List():
            return store.Listed(cohort.pk, cohort.version) if cohort else store.These(())
        case Did(at_most=0):
            return store.Not(store.Did(part.selection, 1, None, part.days))
        case Did():
            return store.Did(part.selection, part.at_least, part.at_most, part.days)
        case InOrder():
            return store.InOrder(part.steps, part.within, part.days)
        case Last(filter=Filter() as one):
            return store.Last(one)
        case Last():
            raise Invalid("“last” is one filter, as {“field”: “plan”, “values”: [“pro”]}.")
        case Known():
            return people_known(product, part.filter)
        case InCohort():
            other = find_cohort(product, part.key)
            return _rule(product, other, definition_of(other), depth - 1)
        case Not():
            return store.Not(_rule(product, cohort, part.part, depth))
        case Together():
            parts = tuple(_rule(product, cohort, one, depth) for one in part.parts)
            return store.Every(parts) if part.every else store.Some(parts)


@dataclass(frozen=True)
class CohortFound:
    """A cohort with its size now, what it was, and some of its people."""

    cohort: Cohort
    sentence: str
    people: int
    history: tuple[tuple[date, int], ...]


def look_at(cohort: Cohort) -> CohortFound:
    history = CohortSize.objects.filter(cohort=cohort).order_by("day").values_list("day", "people")
    people = store.size(cohort.product_id, rule_of(cohort))
    return CohortFound(cohort, sentence_of(cohort), people, tuple(history))


def sentence_of(cohort: Cohort) -> str:
    return f"people {definition_of(cohort).words}" if cohort.is_list else f"people who {definition_of(cohort).words}"


def people_of(cohort: Cohort) -> PeopleRef:
    """Everybody who belongs now."""
    rule = rule_of(cohort)
    return PeopleRef(store.people(cohort.product_id, rule), tuple(store.newest(cohort.product_id, rule, MOST_NAMED)))


def ids_of(cohort: Cohort) -> list[int]:
    """The hash of every id of everybody who belongs now, sorted: for whoever keeps it to ask often."""
    return store.every_id(cohort.product_id, rule_of(cohort))


def is_in_cohort(product: Product, key: str, distinct_id: str) -> bool:
    """Whether the person behind any of their ids belongs now; False for somebody nothing was ever heard of.

    Only this person's own events are read, so it takes some milliseconds however many there are.
    """
    try:
        person = find_person(product, distinct_id)
    except NotFound:
        return False
    return store.holds(product.pk, rule_named(product, key), person.persons, person.canonical)
