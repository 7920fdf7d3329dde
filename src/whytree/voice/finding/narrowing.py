"""The further filters of the voices: by tag, status, who takes care, who spoke, version, variant, language, sentiment and day."""

import json
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from django.db import connections
from django.db.models import F, Func, Q, QuerySet, TextField, Value

from whytree.analytics.cohorts.queries import find_cohort, people_of
from whytree.engines.typed import day_of
from whytree.errors import Invalid
from whytree.people.models import Person
from whytree.people.queries import keys_among
from whytree.voice.models import FeedbackItem, Feeling
from whytree.workspace.models import Product


class Narrowing(Protocol):
    """What a search says beyond its words."""

    @property
    def tag(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def assignee(self) -> str: ...
    @property
    def plan(self) -> str: ...
    @property
    def company(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def variant(self) -> str: ...
    @property
    def segment(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def sentiment(self) -> str: ...
    @property
    def since(self) -> str: ...
    @property
    def until(self) -> str: ...


Items = QuerySet[FeedbackItem]


def narrowed(product: Product, items: Items, wanted: Narrowing) -> Items:
    """Those that all of these filters let through."""
    if wanted.tag:
        items = items.filter(tagged__tag__name__iexact=_text(wanted.tag))
    if wanted.status:
        items = items.filter(status__name__iexact=_text(wanted.status))
    if wanted.assignee:
        items = _assigned(items, _text(wanted.assignee))
    if wanted.plan or wanted.company:
        items = items.filter(person_key__in=_speakers(product, wanted))
    if wanted.version:
        items = items.filter(app_version__startswith=_text(wanted.version))
    if wanted.variant:
        items = _on_variant(items, _text(wanted.variant))
    if wanted.segment:
        items = items.filter(person_key__in=_in_segment(product, _text(wanted.segment)))
    if wanted.language:
        items = _in_language(items, _text(wanted.language).lower())
    if wanted.sentiment:
        items = items.filter(reading__sentiment=_feeling(wanted.sentiment))
    if wanted.since:
        items = items.filter(said_at__gte=_day(wanted.since))
    if wanted.until:
        items = items.filter(said_at__lt=_day(wanted.until) + timedelta(days=1))
    return items


def _text(typed: str) -> str:
    """What PostgreSQL can be asked for."""
    return typed.replace("\0", "")


def _assigned(items: Items, who: str) -> Items:
    if who.lower() == "none":
        return items.filter(assignee=None)
    return items.filter(assignee__email__iexact=who)


def _speakers(product: Product, wanted: Narrowing) -> QuerySet[Person, str]:
    people = Person.objects.filter(product=product)
    if wanted.plan:
        people = people.filter(plan__iexact=_text(wanted.plan))
    if wanted.company:
        people = people.filter(company__iexact=_text(wanted.company))
    return people.values_list("key", flat=True)


MOST_SPEAKERS = 30_000
"""Ids that a database takes in one question."""


def _in_segment(product: Product, key: str) -> list[str]:
    """The ids of those who spoke and belong to this cohort now."""
    people = people_of(find_cohort(product, key)).persons
    spoke = FeedbackItem.objects.filter(product=product).exclude(person_key="").order_by()
    found = keys_among(product, spoke.values_list("person_key", flat=True).distinct(), people)
    if len(found) > MOST_SPEAKERS:
        raise Invalid(
            f"{len(found):,} people of “{key[:40]}” have spoken; that is too many to filter by. Narrow the cohort."
        )
    return sorted(found)


def _in_language(items: Items, code: str) -> Items:
    """What a machine told of the text; where it told nothing, what the text came with: de, de-AT."""
    said = Q(language__iexact=code) | Q(language__istartswith=f"{code}-") | Q(language__istartswith=f"{code}_")
    untold = Q(reading=None) | Q(reading__language="")
    return items.filter(Q(reading__language=code) | (untold & said))


def _feeling(typed: str) -> str:
    if typed.lower() not in Feeling.values:
        raise Invalid(f"“{typed[:20]}” is no sentiment; there are {', '.join(Feeling.values)}.")
    return typed.lower()


def _on_variant(items: Items, typed: str) -> Items:
    """`signup:short`, or the flag alone for any of its variants."""
    flag, colon, variant = typed.partition(":")
    on = items.annotate(variant_of_flag=_variant_of(flag.strip(), items.db))
    return on.filter(variant_of_flag=variant.strip()) if colon else on.filter(variant_of_flag__isnull=False)


def _variant_of(flag: str, using: str) -> Func:
    """A flag may be called 2024 or -1: Django's own key lookup would take that for a place in a list."""
    if connections[using].vendor == "sqlite":
        path = Value(f"$.{json.dumps(flag)}")
        return Func(F("flags"), path, function="JSON_EXTRACT", output_field=TextField())
    return Func(F("flags"), Value(flag), template="(%(expressions)s)", arg_joiner=" ->> ", output_field=TextField())


def _day(typed: str) -> datetime:
    return datetime.combine(day_of(typed), time.min, UTC)
