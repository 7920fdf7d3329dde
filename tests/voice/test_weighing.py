"""Four rankings of opportunities side by side, and where they disagree, at every door."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.errors import Forbidden, Invalid, Unavailable
from whytree.people.identity import person_hash
from whytree.people.models import Person
from whytree.tree.services import close_node, create_opportunity, link_evidence
from whytree.voice.queries.speaking import demand
from whytree.voice.services import link_excerpt, merge, set_voice_settings
from whytree.voice.weighing import queries
from whytree.voice.weighing.queries import ordinal, paying, weigh

from .conftest import Done


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None, dict[str, int | None]], None]:
    """What the event store would say: how many were active, and how many hit each opportunity."""

    def say_so(active: int | None, hit: dict[str, int | None]) -> None:
        monkeypatch.setattr(queries, "_active", lambda product: active)
        monkeypatch.setattr(queries, "_hit", lambda opportunity: hit.get(opportunity.ref))

    say_so(None, {})
    return say_so


@pytest.fixture
def four(actor: Any, product: Any, say: Any, opportunity: Any) -> list[Any]:
    """OPP-1 is what most say, OPP-2 what a portal's voters want, OPP-3 what one large customer says, OPP-4 nobody says."""
    found = [opportunity, *(create_opportunity(actor, product, title=title) for title in ("Dark", "Invoice", "Slow"))]
    for number in range(4):
        link_excerpt(actor, say(f"why my number {number}", person=f"p{number}"), found[0])
    link_excerpt(actor, say("dark mode please", person="p1", metadata={"votes": "120"}), found[1])
    link_excerpt(actor, say("by invoice", person="big", company="Acme"), found[2])
    link_excerpt(actor, say("by invoice, too", person="big2", company="acme"), found[2])
    Person.objects.filter(key__in=["big", "big2"]).update(traits={"mrr": "4,000"})
    Person.objects.filter(key="p1").update(traits={"mrr": 9})
    return found


def test_each_ranking_counts_what_it_says(actor: Any, product: Any, four: list[Any], measured: Any) -> None:
    measured(1_000, {"OPP-1": 68, "OPP-4": 240})
    found = {one.opportunity.ref: one for one in weigh(product).weights}
    assert {ref: one.votes for ref, one in found.items()} == {"OPP-1": 4, "OPP-2": 120, "OPP-3": 2, "OPP-4": 0}
    assert {ref: one.people for ref, one in found.items()} == {"OPP-1": 4, "OPP-2": 1, "OPP-3": 2, "OPP-4": 0}
    assert found["OPP-3"].revenue == 4_000  # two colleagues of one company
    assert (found["OPP-3"].companies, found["OPP-3"].payers) == (1, 1)
    assert found["OPP-1"].revenue == found["OPP-2"].revenue == 9
    assert found["OPP-4"].revenue is None
    share = found["OPP-1"].prevalence
    assert (share.value, share.n) == (0.068, 1_000)
    assert (found["OPP-1"].measured, found["OPP-1"].between) == (
        "6.8 %",
        "5.4 % to 8.5 %",
    )  # Wilson's, as R's prop.test
    assert found["OPP-2"].prevalence is None


def test_they_stand_in_the_order_of_one_and_keep_the_places_of_all(
    product: Any, four: list[Any], measured: Any
) -> None:
    measured(1_000, {"OPP-1": 68, "OPP-4": 240})
    assert [one.opportunity.ref for one in weigh(product).weights] == ["OPP-1", "OPP-3", "OPP-2", "OPP-4"]
    assert [one.opportunity.ref for one in weigh(product, "prevalence").weights] == ["OPP-4", "OPP-1", "OPP-3", "OPP-2"]
    places = weigh(product).places
    assert places["revenue"] == {"OPP-3": 1, "OPP-1": 2, "OPP-2": 2}
    assert places["prevalence"] == {"OPP-4": 1, "OPP-1": 2}


def test_where_they_disagree_is_said_in_words(product: Any, four: list[Any], measured: Any) -> None:
    measured(1_000, {"OPP-1": 20, "OPP-2": 10, "OPP-3": 5, "OPP-4": 240})
    told = {one.opportunity.ref: one.sentence for one in weigh(product).told}
    assert told["OPP-4"] == "many have the problem, and few ask for it: 1st of 4 by measured prevalence, 4th by votes"
    assert told["OPP-3"].startswith("few ask for it, and they pay much: 1st of 3 by revenue")


def test_a_vote_is_a_vote_only_where_it_is_a_number(
    actor: Any, product: Any, say: Any, measured: Any, opportunity: Any
) -> None:
    for votes in (None, "", "many", -5, 0, True, "1e999", 10**30, [3], "3.0"):
        link_excerpt(actor, say(f"with {votes}", metadata={"votes": votes}), opportunity)
    (one,) = weigh(product).weights
    assert one.votes == 9 + 3


def test_merged_voices_count_with_their_votes_and_people(
    actor: Any, product: Any, say: Any, opportunity: Any, measured: Any
) -> None:
    first = say("dark mode", person="a", metadata={"votes": 10})
    merge(actor, say("a dark theme", person="b", metadata={"votes": 5}), first)
    link_excerpt(actor, first, opportunity)
    (one,) = weigh(product).weights
    assert (one.votes, one.people) == (15, 2)


def test_who_said_it_in_a_talk_counts_as_on_the_page_of_the_opportunity(
    actor: Any, product: Any, four: list[Any], measured: Any
) -> None:
    for source, person in (("INT-1", "spoke"), ("INT-2", "p1")):  # one of them had written, too
        link_evidence(
            actor,
            product,
            four[0],
            evidence_type="user_evidence",
            source_kind="interview",
            source_id=source,
            person_key=person,
            quote="Why my number?",
            said_at=timezone.now(),
        )
    (weight,) = [one for one in weigh(product).weights if one.opportunity == four[0]]
    assert (weight.people, weight.votes) == (5, 6)
    assert weight.people == demand(four[0]).people


def test_a_company_pays_once_and_nonsense_pays_nothing(product: Any) -> None:
    def person(key: str, company: str = "", **traits: Any) -> Person:
        return Person(product=product, key=key, company=company, traits=traits)

    people = [
        person("a", "Acme", mrr=100),
        person("b", "ACME", mrr="90"),
        person("c", mrr=7.5),
        *(person(f"x{number}", mrr=value) for number, value in enumerate([None, "", "nan", "inf", True, {}, -3])),
    ]
    assert sum(paying(people, "mrr").values()) == 107.5
    assert paying(people, "arr") == {}


def test_closed_ones_and_silent_ones_are_left_out(actor: Any, product: Any, four: list[Any], measured: Any) -> None:
    close_node(actor, four[0], reason="solved")
    assert [one.opportunity.ref for one in weigh(product).weights] == ["OPP-3", "OPP-2"]


def test_no_answer_of_the_event_store_is_no_zero(
    product: Any, four: list[Any], monkeypatch: pytest.MonkeyPatch, as_bob: Any
) -> None:
    def away(*_: Any) -> Any:
        raise Unavailable("away", retry_after=1)

    monkeypatch.setattr(queries, "mix_since", away)
    found = weigh(product)
    assert found.active is None
    assert all(one.prevalence is None for one in found.weights)
    assert "The event store does not answer" in as_bob.get("/p/sprout/weighed").content.decode()


def test_places_are_said_as_people_say_them() -> None:
    assert [ordinal(place) for place in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]
    )


def test_the_store_counts_who_was_active_and_who_hit_it(store: Any, actor: Any, product: Any, opportunity: Any) -> None:
    from whytree.tree.services import edit_opportunity

    at = timezone.now() - timedelta(days=2)
    did = [("a", "open"), ("a", "stuck"), ("a", "stuck"), ("b", "open"), ("c", "open"), ("d", "open"), ("old", "stuck")]
    store.insert(
        "events",
        [
            {
                "product": product.pk,
                "person": person_hash(product.pk, key),
                "distinct_id": key,
                "event": event,
                "timestamp": at if key != "old" else at - timedelta(days=60),
                "received_at": at,
                "event_id": number,
            }
            for number, (key, event) in enumerate(did)
        ],
    )
    edit_opportunity(actor, opportunity, struggle_signal={"version": 1, "kind": "unique", "event": {"event": "stuck"}})
    (one,) = weigh(product).weights
    assert (one.hit, one.prevalence.n, one.prevalence.value) == (1, 4, 0.25)


def test_only_a_maintainer_says_what_revenue_is(actor: Any, product: Any, bob: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    assert set_voice_settings(actor, product, revenue_trait=" arr ").revenue_trait == "arr"
    for wrong in ("", " ", "x" * 101):
        with pytest.raises(Invalid):
            set_voice_settings(actor, product, revenue_trait=wrong)
    with pytest.raises(Forbidden):
        set_voice_settings(actor_of_user(bob), product, revenue_trait="mrr")


def test_the_page_says_it_and_nobody_else_sees_it(
    as_alice: Any, as_bob: Any, as_charlie: Any, product: Any, four: list[Any], measured: Any
) -> None:
    measured(1_000, {"OPP-1": 20, "OPP-2": 10, "OPP-3": 5, "OPP-4": 240})
    page = as_bob.get("/p/sprout/weighed?by=prevalence").content.decode()
    assert "<h1>Most people say “I don&#x27;t know why you need my phone number”, most have “Slow”.</h1>" in page
    assert "many have the problem, and few ask for it" in page
    assert page.index("Slow</span>") < page.rindex("Dark</span>")
    assert 'aria-sort="descending"' in page
    assert "not known" in page
    assert as_charlie.get("/p/sprout/weighed").status_code == 404
    assert as_bob.post("/p/sprout/weighed/revenue-trait", {"trait": "arr"}).status_code == 403
    page = as_alice.post("/p/sprout/weighed/revenue-trait", {"trait": "<b>"}, follow=True).content.decode()
    assert "&lt;b&gt;" in page


def test_nothing_to_weigh_says_what_to_do(as_bob: Any, measured: Any) -> None:
    assert "give an opportunity a struggle signal" in as_bob.get("/p/sprout/weighed").content.decode()


def test_api_and_command_line(
    api: Any, api_viewer: Any, api_charlie: Any, cli: Callable[..., Done], product: Any, four: list[Any], measured: Any
) -> None:
    measured(1_000, {"OPP-1": 20, "OPP-2": 10, "OPP-3": 5, "OPP-4": 240})
    found = api_viewer.get("/products/sprout/weighed?by=revenue").ok
    assert found["opportunities"][0]["opportunity"] == "OPP-3"
    assert found["opportunities"][0]["places"] == {"votes": 3, "people": 2, "revenue": 1, "prevalence": 4}
    assert found["opportunities"][-1]["prevalence"]["share"] == 0.24
    assert api_charlie.get("/products/sprout/weighed").status == 404
    assert api.get("/products/sprout/weighed?by=love").status in (400, 422)
    said = cli("opportunity", "weigh", "--by", "prevalence").out
    assert said.index("OPP-4") < said.index("OPP-1 ")
    assert "OPP-4: many have the problem, and few ask for it" in said
    assert cli("opportunity", "weigh", "--revenue-trait", "arr", "--json").json["revenue_trait"] == "arr"
