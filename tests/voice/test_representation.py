"""An opportunity says for whom its voices stand."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from whytree.people.identity import person_hash
from whytree.people.models import Person
from whytree.voice.queries.representation import representation_of
from whytree.voice.services import link_excerpt

from .conftest import Done


@pytest.fixture
def spoken(store: Any, actor: Any, product: Any, say: Any, opportunity: Any) -> Any:
    """Ten pros of two companies speak, all on iOS, for ten days and nearly every day; most users are free, and came once."""
    ids = count(1)
    now = timezone.now()
    people = [f"p{number}" for number in range(60)]
    store.insert(
        "events",
        [
            {
                "product": product.pk,
                "person": person_hash(product.pk, key),
                "distinct_id": key,
                "event": "opened",
                "timestamp": at,
                "received_at": at,
                "event_id": next(ids),
                "platform": "iOS" if number < 30 else "Android",
                "locale": "de-DE",
            }
            for number, key in enumerate(people)
            for at in (now - timedelta(days=day) for day in range(2, 12 if number < 10 else 3))
        ],
    )
    for key in people[:10]:
        link_excerpt(actor, say(f"no number, says {key}", person=key), opportunity)
    for number, key in enumerate(people):
        facts = {
            "plan": "pro" if number < 10 else "free",
            "company": ("Acme", "Beta")[number % 2] if number < 10 else "",
        }
        Person.objects.update_or_create(product=product, key=key, defaults=facts)
    return opportunity


def test_it_is_said_in_words(spoken: Any) -> None:
    assert representation_of(spoken).warnings == [
        "50 % of this evidence comes from one company",
        "pro: 100 % of these voices, 17 % of your users",
        "1 to 4 weeks with you: 100 % of these voices, 17 % of your users",
        "iOS: 100 % of these voices, 50 % of your users",
        "8 days in 28 or more: 100 % of these voices, 17 % of your users",
    ]


def test_all_doors_say_the_same(
    spoken: Any, as_viewer: Any, api: Any, api_charlie: Any, cli: Callable[..., Done]
) -> None:
    page = as_viewer.get(f"/p/sprout/{spoken.ref}").content.decode()
    assert "50 % of this evidence comes from one company; pro: 100 % of these voices" in page
    told = api.get(f"/products/sprout/opportunities/{spoken.ref}/representation").ok
    assert {kind["kind"] for kind in told["kinds"]} == {"plan", "tenure", "platform", "locale", "activity"}
    assert api_charlie.get(f"/products/sprout/opportunities/{spoken.ref}/representation").status == 404
    assert "by platform: 10 voices, 60 users" in cli("opportunity", "representation", spoken.ref).out


def test_few_voices_are_not_compared(actor: Any, say: Any, opportunity: Any, as_viewer: Any, store: Any) -> None:
    link_excerpt(actor, say("hello", person="p1"), opportunity)
    assert not representation_of(opportunity).is_known
    assert "Who speaks, and who uses" not in as_viewer.get(f"/p/sprout/{opportunity.ref}").content.decode()
