"""Form friction: the figures, and the doors they are asked at."""

from collections.abc import Callable
from typing import Any

import pytest

from whytree.analytics.friction.links import addresses
from whytree.analytics.friction.queries import NAMELESS, form_friction, forms_seen
from whytree.errors import Invalid, NotFound
from whytree.events.services import track
from whytree.stores.events import EventStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(store: EventStore, product: Any) -> Callable[..., None]:
    """Somebody's visit to a form: what they did in each field, and whether they sent it."""

    def run(who: str, fields: dict[str, dict[str, Any]], *, sent: bool = False, form: str = "sign-up") -> None:
        track(product, who, "$form_shown", {"form": form, "fields": len(fields)})
        last = [name for name, said in fields.items() if said.get("focused")]
        if last:
            track(product, who, "$form_started", {"form": form, "first_field": last[0]})
        for position, (name, said) in enumerate(fields.items(), 1):
            left = not sent and bool(last) and name == last[-1]
            track(
                product, who, "$form_field", {"form": form, "field": name, "position": position, "left": left, **said}
            )
        if last:
            ended = "$form_submitted" if sent else "$form_left"
            track(product, who, ended, {"form": form, "last_field": last[-1], "form_seconds": 20})

    return run


def _filled(seconds: float, **more: Any) -> dict[str, Any]:
    return {"focused": 1, "changed": 1, "corrected": 0, "errors": 0, "seconds": seconds, **more}


MET = {"focused": 0, "changed": 0, "corrected": 0, "errors": 0}


def test_it_counts_people_field_by_field(visit: Callable[..., None], product: Any) -> None:
    visit("ana", {"email": _filled(4), "phone": _filled(9, changed=2, corrected=1), "plan": _filled(1)}, sent=True)
    visit("bob", {"email": _filled(6, errors=2), "phone": _filled(11), "plan": MET})
    visit("eve", {"email": MET, "phone": MET, "plan": MET})
    (seen,) = forms_seen(product)
    assert (seen.title, seen.met.fields, seen.met.people) == ("sign-up", 3, 3)
    assert (seen.met.started, seen.met.submitted, seen.met.left, seen.met.seconds) == (2, 1, 1, 20)
    assert seen.finished is not None
    assert (seen.finished.value, seen.finished.n) == (0.5, 2)

    found = form_friction(product, "sign-up")
    fields = {one.name: one for one in found.fields}
    assert list(fields) == ["email", "phone", "plan"]
    email, phone, plan = (fields[name] for name in ("email", "phone", "plan"))
    assert [(one.met.shown, one.met.reached) for one in (email, phone, plan)] == [(3, 2), (3, 2), (3, 1)]
    assert (email.met.refused, email.met.errors, phone.met.corrected, phone.met.left) == (1, 2, 1, 1)
    assert phone.left is not None
    assert (phone.left.value, phone.left.n) == (0.5, 2)
    assert plan.left is not None
    assert plan.left.value == 0
    assert (email.met.seconds, email.met.timed) == (4, 2)
    assert email.met.low is None, "two visits have a median and no interval"
    assert "too few" in found.sentence


def test_a_person_who_comes_twice_is_one_and_both_visits_are_timed(visit: Callable[..., None], product: Any) -> None:
    visit("ana", {"email": _filled(4)})
    visit("ana", {"email": _filled(8)}, sent=True)
    (email,) = form_friction(product, "sign-up").fields
    assert (email.met.shown, email.met.timed) == (1, 2)


def test_the_sentence_names_the_field_most_leave_at(visit: Callable[..., None], product: Any) -> None:
    for number in range(40):
        stays = number % 4
        visit(f"p{number}", {"email": _filled(3), "phone": _filled(8 + number / 10)}, sent=bool(stays))
    found = form_friction(product, "sign-up")
    assert found.sentence == "25 % of those who reach phone leave the form there."
    phone = found.fields[1].met
    assert phone.low is not None
    assert phone.high is not None
    assert phone.seconds is not None
    assert 8 < phone.low < phone.seconds < phone.high < 12


def test_events_of_ones_own_are_shown_without_what_they_do_not_say(
    visit: Callable[..., None], product: Any, store: EventStore
) -> None:
    track(product, "ana", "field_left", {"field": "company_size", "seconds": 7.2})
    assert [one.title for one in forms_seen(product)] == [NAMELESS]
    found = form_friction(product, NAMELESS)
    (field,) = found.fields
    assert (field.name, field.met.seconds, field.met.reached) == ("company_size", 7.2, 1)
    assert (field.left, field.corrected, found.is_told) == (None, None, False)


def test_each_figure_of_a_field_leads_to_the_people_it_counts(
    visit: Callable[..., None], product: Any, store: EventStore, as_alice: Any
) -> None:
    visit("ana", {"email": _filled(4), "phone": _filled(9, corrected=1, errors=2)}, sent=True)
    visit("ben", {"email": _filled(4), "phone": _filled(9, errors=1)})
    visit("cat", {"email": _filled(4), "phone": MET})
    track(product, "dan", "asked_again", {"field": "phone", "form": "sign-up"})
    _, phone = form_friction(product, "sign-up").fields
    people = {
        name: as_alice.get(url).context["behind"] for name, url in addresses(product, "sign-up", phone.met, 28).items()
    }
    assert {name: behind.total for name, behind in people.items()} == {
        "reached": 3,
        "corrected": 1,
        "errors": 2,
        "left": 1,
    }
    assert people["left"].ids == ("ben",)
    page = as_alice.get("/p/sprout/forms?form=sign-up").content.decode()
    assert page.count("#behind") == 6
    table = as_alice.get("/p/sprout/forms.csv?form=sign-up").content.decode().splitlines()
    assert table[2].startswith("phone,4,3,1,2,1,9.0,")
    assert b"33 % left here" in as_alice.get("/p/sprout/forms.svg?form=sign-up").content
    assert as_alice.get("/p/sprout/forms.png?form=none").status_code == 404


def test_an_unknown_form_and_an_impossible_period_are_told_in_words(
    visit: Callable[..., None], product: Any, store: EventStore
) -> None:
    with pytest.raises(NotFound, match="No form was met"):
        form_friction(product, "sign-up")
    visit("ana", {"email": _filled(4)})
    with pytest.raises(NotFound, match="There are “sign-up”"):
        form_friction(product, "sign-in")
    with pytest.raises(Invalid, match="1 to 730 days"):
        forms_seen(product, days=0)


def test_odd_figures_break_nothing(product: Any, store: EventStore) -> None:
    odd = {
        "form": "f",
        "field": "a",
        "position": "x",
        "focused": -1,
        "corrected": 1e99,
        "seconds": "NaN",
        "left": "maybe",
    }
    track(product, "ana", "$form_field", odd)
    track(product, "ana", "$form_left", {"form": "f", "form_seconds": "long"})
    (field,) = form_friction(product, "f").fields
    assert (field.met.seconds, field.met.reached, field.met.left) == (None, 0, 0)


def test_page_api_and_stranger(
    visit: Callable[..., None], product: Any, as_viewer: Any, as_charlie: Any, api: Any, api_charlie: Any
) -> None:
    assert "No form was met yet" in as_viewer.get("/p/sprout/forms").content.decode()
    visit("ana", {"e<b>mail": _filled(4)}, form="sign-up & more")
    listed = as_viewer.get("/p/sprout/forms").content.decode()
    assert "sign-up &amp; more" in listed
    shown = as_viewer.get("/p/sprout/forms", {"form": "sign-up & more"}).content.decode()
    assert "e&lt;b&gt;mail" in shown
    assert "Nobody met a form" in as_viewer.get("/p/sprout/forms", {"form": "other"}).content.decode()
    assert as_viewer.get("/p/sprout/forms", {"days": "x"}).status_code == 400
    assert as_charlie.get("/p/sprout/forms").status_code == 404

    (form,) = api.get("/products/sprout/forms").ok
    assert (form["form"], form["started"]) == ("sign-up & more", 1)
    friction = api.get("/products/sprout/forms/friction?form=sign-up%20%26%20more").ok
    assert friction["by_field"][0]["left"] == pytest.approx(
        {"value": 1.0, "low": 0.2065, "high": 1.0, "n": 1}, abs=1e-3
    )
    assert api_charlie.get("/products/sprout/forms").status == 404
