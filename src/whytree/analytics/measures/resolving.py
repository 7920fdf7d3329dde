"""From a question's words to what the store can ask: cohorts become rules, what is known of people becomes these people."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from whytree.errors import Invalid
from whytree.events.intake.services import intake_of
from whytree.events.queries import known_names, sent_properties
from whytree.people.queries import people_with_trait, trait_names, trait_values
from whytree.stores.pieces.cohorts import These
from whytree.stores.pieces.companies import ID, NAME, Companies, CompanyTrait, InCompanies
from whytree.stores.pieces.filters import (
    ALONE,
    COLUMNS,
    AllOf,
    AnyOf,
    By,
    Condition,
    Filter,
    Membership,
    Operator,
    Selection,
    positive,
)
from whytree.stores.pieces.moments import SESSION_FIELDS, CompanyThen, InSession, KnownThen, Moment, WasSo
from whytree.stores.pieces.traits import PeopleTrait, WithTrait
from whytree.workspace.models import Product

from ..questions import COHORT, COMPANY_TRAIT, PERSON_TRAIT, SESSION, THEN, filter_words, refuse_unknown
from ..questions.parts import fields_of_filters

MOST_PEOPLE = 200_000
#: What texts are compared by in the store alone: numbers, moments, and expressions that cannot explode there.
_TOLD_BY_STORE: tuple[Operator, ...] = (
    *("above", "below", "at least", "at most", "before", "after"),
    *("matches", "does not match"),
)


def ready(product: Product, selections: Iterable[Selection]) -> tuple[Selection, ...]:
    """The same selections with every filter as the store knows it."""
    asked = tuple(selections)
    alone = _alone(product, (field for one in asked for field in fields_of_filters(one.filters)))
    return tuple(
        replace(
            one,
            filters=tuple(_condition(product, each, alone, tuple(filter(None, one.events))) for each in one.filters),
        )
        for one in asked
    )


def ready_by(product: Product, by: Sequence[str], events: Sequence[str]) -> tuple[By, ...]:
    """What groups of these events are told apart by."""
    found: list[By] = []
    alone = _alone(product, by)
    for one in by:
        if one.startswith(PERSON_TRAIT):
            found.append(_groups_of_people(product, one.removeprefix(PERSON_TRAIT).strip()))
        elif one.startswith(COMPANY_TRAIT):
            found.append(CompanyTrait(product.pk, _company_trait(product, one)))
        elif one.startswith((THEN, SESSION)):
            found.append(_moment(product, one, tuple(events), in_lengths=True))
        else:
            found.append(_cohort(product, one) if one.startswith(COHORT) else _column(one, alone))
    return tuple(found)


def _alone(product: Product, fields: Iterable[str]) -> frozenset[str]:
    """The columns among these for which no event has a property of the same name."""
    columns = set(fields) & set(COLUMNS)
    return frozenset(columns - sent_properties(product, columns))


def _column(name: str, alone: frozenset[str]) -> str:
    return ALONE + name if name in alone else name


def _condition(product: Product, one: Condition, alone: frozenset[str], events: tuple[str, ...]) -> Condition:
    if isinstance(one, AnyOf | AllOf):
        return replace(one, parts=tuple(_condition(product, part, alone, events) for part in one.parts))
    if isinstance(one, Filter) and one.field.startswith(COHORT):
        return _cohort(product, one.field, inside=one.operator == "is set")
    if isinstance(one, Filter) and one.field.startswith(PERSON_TRAIT):
        return _trait(product, one)
    if isinstance(one, Filter) and one.field.startswith(COMPANY_TRAIT):
        return _company(product, one)
    if isinstance(one, Filter) and one.field.startswith((THEN, SESSION)):
        return WasSo(one.field, one.operator, one.values, told=_moment(product, one.field, events))
    return replace(one, field=_column(one.field, alone)) if isinstance(one, Filter) else one


def _cohort(product: Product, field: str, *, inside: bool = True) -> Membership:
    from ..cohorts.queries import rule_named  # cohorts are made of questions' parts themselves

    key = field.removeprefix(COHORT)
    return Membership(rule_named(product, key), product.pk, key, inside)


def people_known(product: Product, one: Filter) -> These | WithTrait:
    """Those of whom it is known now, whatever it was when something happened; `field` is the trait by itself."""
    if one.operator in _TOLD_BY_STORE:
        return WithTrait(_trait_of_people(product, one.field), one)
    return These(tuple(sorted(people_with_trait(product, one.field, one.operator, one.values))))


def _trait_of_people(product: Product, trait: str) -> PeopleTrait:
    known = trait_values(product, trait)
    persons = tuple(sorted(known))
    return PeopleTrait(trait, persons, tuple(known[one] for one in persons))


def _groups_of_people(product: Product, trait: str) -> PeopleTrait:
    found = _trait_of_people(product, trait)
    _refuse(product, trait, len(found.persons))
    return found


def _trait(product: Product, one: Filter) -> Membership:
    trait = one.field.removeprefix(PERSON_TRAIT).strip()
    found = people_known(product, replace(one, field=trait))
    persons = found.persons if isinstance(found, These) else found.known.persons
    if persons or one.operator != "is not set":
        _refuse(product, trait, len(persons))
    return Membership(found, product.pk, filter_words(one))


def _refuse(product: Product, trait: str, people: int) -> None:
    """A trait that nobody has, with the nearest that somebody has; and more people than a query can be told."""
    if not people and not trait_values(product, trait):
        refuse_unknown("trait of people", [trait], trait_names(product))
    if people > MOST_PEOPLE:
        raise Invalid(f"{people:,} people by their {trait} are too many to be told apart. Make a cohort of them.")


def companies_of(product: Product) -> Companies:
    """Companies, to be counted in place of people."""
    return Companies(product.pk)


def _company(product: Product, one: Filter) -> Membership:
    """Those whose company is such a one now."""
    wanted, inside = positive(replace(one, field=_company_trait(product, one.field)))
    return Membership(InCompanies(wanted), product.pk, filter_words(one), inside)


def _moment(product: Product, field: str, events: tuple[str, ...], *, in_lengths: bool = False) -> Moment:
    """What was so when the event happened: of its session, or of what was known of the person or of the company."""
    prefix, _, name = field.partition(":")
    name = name.strip()
    if f"{prefix}:" == THEN and name.startswith(COMPANY_TRAIT):
        return CompanyThen(product.pk, _company_trait(product, name), events)
    if f"{prefix}:" == THEN:
        refuse_unknown("trait of people", [name], trait_names(product))
        return KnownThen(product.pk, name, events)
    for known in SESSION_FIELDS:
        if name == known:
            return InSession(product.pk, known, intake_of(product).session_minutes, events, in_lengths)
    raise Invalid(f"A session has no {name[:40]!r}; it has {', '.join(f'{SESSION}{one}' for one in SESSION_FIELDS)}.")


def _company_trait(product: Product, field: str) -> str:
    """Its name, of `company:plan`; refused when nobody ever said it of a company, with the nearest that somebody did."""
    trait = field.removeprefix(COMPANY_TRAIT).strip()
    if not trait:
        raise Invalid("Name what is known of the company, as company:plan; company:id is its key.")
    if trait not in (ID, NAME):
        refuse_unknown("trait of companies", [trait], [*known_names(product).company_traits, ID, NAME])
    return trait
