"""Voices that say the same: suggested by a machine, merged by a person, parted as if nothing had been."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whytree.errors import Conflict, Invalid, NotFound
from whytree.tree.models import EvidenceLink, Provenance
from whytree.tree.services import create_opportunity
from whytree.voice import queries
from whytree.voice.finding.alike import similar, similar_to
from whytree.voice.models import FeedbackItem, Highlight, ItemTag
from whytree.voice.queries import Wanted, demand
from whytree.voice.services import (
    Act,
    find_main,
    group_of,
    link_excerpt,
    merge,
    merging,
    part,
    triage,
    undo_triage,
    unlink,
)
from whytree.voice.services.erasing import erase_feedback
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Activity
from whytree.workspace.records.activity import snapshot, undo

from .conftest import Done


@pytest.fixture
def three(say: Any) -> list[Any]:
    return [say(f"voice number {number}", person=f"p{number}", said_at=f"2026-01-0{number}") for number in (1, 2, 3)]


def waiting(product: Any) -> list[str]:
    return [item.text for item in queries.page_of(product, Wanted()).items]


def everything() -> str:
    """All that is stored of voices and what they speak for, but the keys and times of rows that were made anew."""
    links = [
        {name: value for name, value in snapshot(link).items() if name not in ("id", "created_at", "added_by_id")}
        for link in EvidenceLink.objects.order_by("source_id", "node_id")
    ]
    rows = [
        snapshot(row) for model in (FeedbackItem, Highlight, ItemTag) for row in model._default_manager.order_by("pk")
    ]
    return json.dumps([links, rows], sort_keys=True)


# Merging


def test_one_stands_for_both_and_both_people_count(
    actor: Any, product: Any, three: list[Any], opportunity: Any
) -> None:
    assert merge(actor, three[0], three[1])
    assert waiting(product) == ["voice number 3", "voice number 2"]
    link_excerpt(actor, three[1], opportunity, importance=3)
    assert {(voice.key, voice.importance) for voice in demand(opportunity).voices} == {("p1", 3), ("p2", 3)}
    own = EvidenceLink.objects.get(source_id=three[0].ref)
    assert (own.quote, own.provenance, own.rule) == ("voice number 1", Provenance.INFERRED, "merged into FB-2")
    assert queries.waiting_count(product) == 1


def test_what_was_linked_before_counts_for_the_one_that_comes_later(
    actor: Any, product: Any, three: list[Any], opportunity: Any
) -> None:
    link_excerpt(actor, three[0], opportunity)
    merge(actor, three[1], three[0])
    merge(actor, three[2], three[0])
    assert demand(opportunity).people == 3
    unlink(actor, FeedbackItem.objects.get(pk=three[0].pk), opportunity)
    assert demand(opportunity).people == 0


def test_a_link_that_comes_by_merging_goes_by_parting(
    actor: Any, product: Any, three: list[Any], opportunity: Any
) -> None:
    link_excerpt(actor, three[0], opportunity)
    merge(actor, three[1], three[0])
    with pytest.raises(Conflict, match="merged into FB-1"):
        unlink(actor, FeedbackItem.objects.get(pk=three[1].pk), opportunity)
    assert part(actor, three[1])
    assert demand(opportunity).people == 1
    assert not part(actor, three[1])


def test_a_person_who_did_not_consent_counts_without_words(
    actor: Any, say: Any, three: list[Any], opportunity: Any
) -> None:
    silent = say("not to be told", person="p9", consent="none")
    merge(actor, silent, three[0])
    link_excerpt(actor, three[0], opportunity)
    assert demand(opportunity).people == 2
    assert EvidenceLink.objects.get(source_id=silent.ref).quote == ""


def test_what_was_merged_leads_to_the_one_that_stands_for_it(actor: Any, product: Any, three: list[Any]) -> None:
    merge(actor, three[0], three[1])
    assert find_main(product, "fb-1 voice number").ref == "FB-2"
    merge(actor, three[1], three[2])
    assert find_main(product, "FB-1").ref == "FB-3"
    assert [one.ref for one in group_of(FeedbackItem.objects.get(pk=three[0].pk))] == ["FB-3", "FB-2", "FB-1"]
    for typed, error in (("", Invalid), ("the other one", Invalid), ("FB-77", NotFound)):
        with pytest.raises(error):
            find_main(product, typed)


def test_no_circle_no_second_main_no_other_product(
    actor: Any, product: Any, three: list[Any], other_product: Any
) -> None:
    merge(actor, three[0], three[1])
    with pytest.raises(Conflict, match="part of FB-2 already"):
        merge(actor, three[1], three[0])
    with pytest.raises(Conflict, match="Part them first"):
        merge(actor, three[0], three[2])
    with pytest.raises(Conflict):
        merge(actor, three[2], three[2])
    assert not merge(actor, three[0], three[1])
    FeedbackItem.objects.filter(pk=three[2].pk).update(product=other_product)
    with pytest.raises(NotFound):
        merge(actor, three[1], FeedbackItem.objects.get(pk=three[2].pk))


def test_more_than_are_triaged_at_once_may_say_the_same_and_all_count(
    actor: Any, product: Any, three: list[Any], opportunity: Any, say: Any, as_alice: Any, monkeypatch: Any
) -> None:
    main, last, other = three
    FeedbackItem.objects.bulk_create(
        FeedbackItem(
            product=product,
            number=at,
            source_type="test",
            submission_id=str(at),
            text=f"me too {at}",
            person_key=f"m{at}",
            said_at=main.said_at,
            merged_into=main,
        )
        for at in range(1_000, 1_600)
    )
    before = everything()
    merge(actor, last, main)
    link_excerpt(actor, FeedbackItem.objects.select_related("product").get(pk=main.pk), opportunity)
    assert demand(opportunity).people == 602
    page = as_alice.get(f"/p/sprout/{main.ref}").content.decode()
    assert "601 others said the same" in page
    assert "The first 50 of 601; all of them count." in page
    unlink(actor, FeedbackItem.objects.select_related("product").get(pk=main.pk), opportunity)
    part(actor, FeedbackItem.objects.select_related("product", "merged_into").get(pk=last.pk))
    FeedbackItem.objects.filter(pk=main.pk).update(handled_at=None, handled_by=None)
    Highlight.objects.all().delete()
    assert everything() == before
    monkeypatch.setattr(merging, "MOST_MERGED", 600)
    with pytest.raises(Conflict, match="600 voices is the most"):
        merge(actor, FeedbackItem.objects.select_related("product", "merged_into").get(pk=other.pk), main)


@pytest.fixture
def five(say: Any) -> None:
    for number in range(5):
        say(f"said {number}", person=f"p{number}")


@pytest.fixture
def problems(actor: Any, product: Any) -> list[Any]:
    return [create_opportunity(actor, product, title=f"Problem {number}") for number in range(3)]


@pytest.mark.slow
@pytest.mark.usefixtures("five")
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_parting_restores_exactly_in_whatever_order(
    data: st.DataObject, actor: Any, product: Any, problems: list[Any]
) -> None:
    with transaction.atomic():  # each example finds the five as they were said
        items = list(FeedbackItem.objects.select_related("product").order_by("pk"))
        for item in items:
            for problem in data.draw(st.lists(st.sampled_from(problems), unique_by=lambda one: one.pk)):
                link_excerpt(actor, item, problem, importance=data.draw(st.integers(0, 3)))
        before = everything()
        pairs = st.tuples(st.sampled_from(items), st.sampled_from(items))
        for item, main in data.draw(st.lists(pairs, max_size=8)):
            try:
                merge(actor, item, find_main(product, main.ref))
            except Conflict:
                continue
        merged = list(FeedbackItem.objects.exclude(merged_into=None).select_related("product"))
        for item in data.draw(st.permutations(merged)):
            assert part(actor, item)
        assert everything() == before
        transaction.set_rollback(True)


def test_taking_back_is_as_good_as_parting(actor: Any, product: Any, three: list[Any], opportunity: Any) -> None:
    link_excerpt(actor, three[0], opportunity)
    before = everything()
    done = triage(actor, product, three, Act("merge", three[0].ref))
    assert (done.changed, demand(opportunity).people) == (2, 3)
    undo_triage(actor, product, done.activities)
    assert everything() == before


def test_taking_back_leaves_nothing_of_what_others_did_meanwhile(
    actor: Any, bob: Any, product: Any, three: list[Any], opportunity: Any
) -> None:
    """Alice merges, Bob links the one that stands for both: the link of the other one is his act, and goes with hers."""
    merge(actor, three[0], three[1])
    merged = Activity.objects.get(verb="merge")
    link_excerpt(actor_of_user(bob), three[1], opportunity)
    assert demand(opportunity).people == 2
    undo(actor, product, merged.pk)
    assert FeedbackItem.objects.get(pk=three[0].pk).merged_into is None
    assert list(EvidenceLink.objects.values_list("source_id", flat=True)) == [three[1].ref]


def test_taking_a_link_back_takes_what_rests_on_it(
    actor: Any, bob: Any, product: Any, three: list[Any], opportunity: Any
) -> None:
    link_excerpt(actor, three[1], opportunity)
    linked = Activity.objects.filter(user_id=actor.user_id).latest("pk")
    merge(actor_of_user(bob), three[0], three[1])
    assert demand(opportunity).people == 2
    undo(actor, product, linked.pk)
    assert not EvidenceLink.objects.exists()


def test_an_erased_voice_stays_merged_and_says_nothing(
    actor: Any, product: Any, three: list[Any], opportunity: Any
) -> None:
    merge(actor, three[0], three[1])
    erase_feedback(product, "p1")
    link_excerpt(actor, three[1], opportunity)
    assert EvidenceLink.objects.get(source_id="FB-1").quote == ""
    assert similar(product, "(erased)") == []
    assert similar_to(FeedbackItem.objects.get(pk=three[0].pk)) == []


def test_undoing_an_import_keeps_who_stands_for_others(actor: Any, product: Any, three: list[Any]) -> None:
    from whytree.voice.models import ImportRun, RunState
    from whytree.voice.services import undo_import

    run = ImportRun.objects.create(
        product=product, fingerprint="f", source_type="file", source_name="x", state=RunState.COMPLETED
    )
    FeedbackItem.objects.filter(pk__in=[three[0].pk, three[1].pk]).update(import_run=run)
    merge(actor, three[2], three[0])
    undone = undo_import(actor, run)
    assert (undone.removed, undone.kept, undone.left) == (1, 1, 0)
    assert FeedbackItem.objects.get(pk=three[2].pk).merged_into_id == three[0].pk


# Suggesting


def test_it_is_suggested_with_a_score_and_a_reason(product: Any, say: Any) -> None:
    first = say("The CSV export loses all my accents")
    say("Please let me pay by invoice")
    found = similar(product, "export to csv loses accents")
    assert [one.item.pk for one in found] == [first.pk]
    assert found[0].likeness.score > 0.45
    assert "“csv”" in found[0].likeness.reason
    assert similar(product, "") == similar(product, "電話番号を求められた") == similar(product, "zzz") == []


def test_neither_itself_nor_its_group_nor_another_product_is_suggested(
    actor: Any, product: Any, say: Any, other_product: Any
) -> None:
    one, two, three = (say("the csv export loses accents " + end) for end in ("", "again", "always"))
    merge(actor, two, one)
    assert [found.item.pk for found in similar_to(FeedbackItem.objects.get(pk=one.pk))] == [three.pk]
    assert [found.item.pk for found in similar_to(three)] == [one.pk]  # the one that stands for both
    assert similar(other_product, "the csv export loses accents") == []


def test_a_word_that_everybody_uses_finds_nobody(product: Any, say: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whytree.voice.finding.alike.COMMON", 3)
    for number in range(5):
        say(f"nice app {number}")
    assert similar(product, "nice app") == []
    say("nice tractor")
    assert [one.item.text for one in similar(product, "tractor nice app")] == ["nice tractor"]


def test_hostile_words_are_words(product: Any, say: Any) -> None:
    say('"drop" OR table*')
    for typed in ('" OR 1', "'; DROP TABLE x; --", "NEAR(a b)", "\0", "a" * 100_000, "text : x", "😀" * 50):
        similar(product, typed)


# Doors


def test_the_inbox_suggests_merges_and_takes_back(as_bob: Any, product: Any, say: Any) -> None:
    say("The CSV export loses all my accents", said_at="2026-01-01")
    say("csv export loses <b>accents</b>", said_at="2026-01-02")
    page = as_bob.get("/p/sprout/voices?item=FB-2").content.decode()
    assert "May be the same" in page
    assert "machine-made" in page
    assert 'data-key="m"' in page
    sent = {"item": "FB-2", "open": "FB-2", "merge": "FB-1", "back": "/p/sprout/voices"}
    page = as_bob.post("/p/sprout/voices/triage", sent, follow=True).content.decode()
    assert "FB-2 is merged into FB-1." in page
    assert "says the same as FB-1.</h1>" in as_bob.get("/p/sprout/FB-2").content.decode()
    assert "1 other said the same" in page
    assert "&lt;b&gt;accents" in page
    as_bob.post("/p/sprout/voices/undo", {"back": "/p/sprout/voices"})
    assert len(waiting(product)) == 2
    as_bob.post("/p/sprout/voices/triage", sent)
    page = as_bob.post(
        "/p/sprout/voices/triage", {"item": "FB-2", "act": "part", "back": "/p/sprout/voices"}, follow=True
    ).content.decode()
    assert "FB-2 is parted, as it was before." in page
    assert len(waiting(product)) == 2


def test_a_viewer_is_asked_nothing_and_a_stranger_sees_nothing(as_viewer: Any, as_charlie: Any, say: Any) -> None:
    say("The CSV export loses all my accents")
    say("csv export loses accents")
    assert "May be the same" not in as_viewer.get("/p/sprout/FB-2").content.decode()
    sent = {"item": "FB-2", "merge": "FB-1"}
    assert as_viewer.post("/p/sprout/voices/triage", sent).status_code == 403
    assert as_charlie.post("/p/sprout/voices/triage", sent).status_code == 404
    assert as_charlie.post("/p/sprout/voices/new/said-before", {"text": "csv"}).status_code == 404


def test_whoever_passes_on_what_was_said_before_is_told(as_bob: Any, product: Any, say: Any) -> None:
    say("The CSV export loses all my accents")
    told = as_bob.post("/p/sprout/voices/new/said-before", {"text": "csv export loses my accents"}).content.decode()
    assert 'name="same_as" value="FB-1"' in told
    assert as_bob.post("/p/sprout/voices/new/said-before", {"text": "zzz"}).content.decode().strip() == ""
    answer = as_bob.post("/p/sprout/voices/new", {"text": "csv export loses my accents", "same_as": "FB-1"})
    assert answer.status_code == 302
    made = FeedbackItem.objects.get(number=2)
    assert (made.text, made.merged_into_id) == ("csv export loses my accents", FeedbackItem.objects.get(number=1).pk)
    answer = as_bob.post("/p/sprout/voices/new", {"text": "another", "same_as": "FB-99"})
    assert (answer.status_code, FeedbackItem.objects.count()) == (404, 2)


def test_the_api_suggests_and_merges(api: Any, api_viewer: Any, api_charlie: Any, say: Any) -> None:
    say("The CSV export loses all my accents")
    say("csv export loses accents")
    found = api.get("/products/sprout/feedback/FB-2/similar").ok
    assert [one["ref"] for one in found] == ["FB-1"]
    assert found[0]["reason"].startswith("shares “")
    assert api.post("/products/sprout/feedback-similar", {"text": "csv export"}).ok
    assert api_charlie.get("/products/sprout/feedback/FB-2/similar").status == 404
    body = {"refs": ["FB-2"], "act": "merge", "value": "FB-1"}
    assert api_viewer.post("/products/sprout/feedback-triage", body).status == 403
    assert api.post("/products/sprout/feedback-triage", body).ok["said"] == "merged into FB-1"
    assert api.get("/products/sprout/feedback/FB-2").ok["merged_into"] == "FB-1"
    assert api.get("/products/sprout/feedback/FB-1").ok["merged"] == ["FB-2"]


def test_the_command_line_suggests_and_merges(cli: Callable[..., Done], say: Any, product: Any) -> None:
    say("The CSV export loses all my accents")
    say("csv export loses accents")
    assert "FB-1" in cli("feedback", "similar", "FB-2").out
    assert cli("feedback", "similar", "--text", "csv export", "--json").json
    assert "Name a voice" in cli("feedback", "similar").error
    assert "Nobody said the same" in cli("feedback", "similar", "--text", "zzz").out
    assert "1 voice is merged into FB-1." in cli("feedback", "merge", "FB-2", "--into", "FB-1").out
    assert waiting(product) == ["The CSV export loses all my accents"]
    assert "parted, as it was before" in cli("feedback", "part", "FB-2").out
