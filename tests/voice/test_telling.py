"""Language and sentiment: told once by a machine, labelled so, filtered by, forgotten with the words."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from whytree.engines.texts.telling import Told, tell_all
from whytree.errors import Invalid
from whytree.tree.services import create_outcome
from whytree.voice import queries
from whytree.voice.models import Reading
from whytree.voice.plugs import export_person
from whytree.voice.queries import Wanted
from whytree.voice.services import link_excerpt
from whytree.voice.services.erasing import erase_feedback
from whytree.voice.services.telling import tell_waiting
from whytree.workspace.models import Job

from .conftest import Done


def fixed(texts: Sequence[str]) -> list[Told]:
    return [
        Told("de") if "Nummer" in text else Told("en", "negative" if "hate" in text else "neutral") for text in texts
    ]


def found(product: Any, **wanted: Any) -> list[str]:
    return [item.text for item in queries.page_of(product, Wanted(state="all", **wanted)).items]


def test_what_comes_in_is_told_soon_and_once(product: Any, say: Any) -> None:
    say("I hate it")
    say("Warum die Nummer?")
    assert Job.objects.filter(kind="voice.tell", state=Job.State.WAITING).count() == 1
    assert tell_waiting(tell=fixed) == 2
    assert tell_waiting(tell=fixed) == 0
    assert set(Reading.objects.values_list("language", "sentiment")) == {("en", "negative"), ("de", "")}


def test_what_was_there_before_is_told_and_told_anew_by_what_is_better(
    product: Any, say: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    say("I hate it")
    tell_waiting(tell=lambda texts: [Told() for _ in texts])
    monkeypatch.setattr("whytree.voice.services.telling.VERSION", 2)
    assert tell_waiting(tell=fixed) == 1
    assert Reading.objects.get().sentiment == "negative"


def test_other_words_are_told_anew(product: Any, say: Any) -> None:
    say("I hate it", submission_id="r1")
    tell_waiting(tell=fixed)
    say("Die Nummer fehlt", submission_id="r1")
    assert not Reading.objects.exists()
    tell_waiting(tell=fixed)
    assert Reading.objects.get().language == "de"


def test_what_is_erased_meanwhile_stays_untold(product: Any, say: Any) -> None:
    say("I hate it", person="mira")

    def slow(texts: Sequence[str]) -> list[Told]:
        erase_feedback(product, "mira")
        return fixed(texts)

    assert tell_waiting(tell=slow) == 0
    assert tell_waiting(tell=fixed) == 0
    assert not Reading.objects.exists()


def test_it_is_forgotten_and_given_with_the_words(product: Any, say: Any) -> None:
    say("I hate it", person="mira")
    tell_waiting(tell=fixed)
    assert export_person(product, "mira")["feedback"][0]["told_by_a_machine"] == {
        "language": "en",
        "sentiment": "negative",
    }
    erase_feedback(product, "mira")
    assert not Reading.objects.exists()


def test_telling_stands_in_no_undo_s_way(actor: Any, product: Any, say: Any) -> None:
    from whytree.voice.services import Act, triage, undo_triage

    done = triage(actor, product, [say("I hate it")], Act("put_away"))
    tell_waiting(tell=fixed)
    assert undo_triage(actor, product, done.activities) == 1


@pytest.mark.slow  # starts a process
def test_the_models_tell_in_a_process_of_their_own(product: Any, say: Any) -> None:
    say("It keeps crashing and I hate it")
    assert tell_waiting() == 1
    assert tell_all(["It keeps crashing and I hate it"]) == [
        Told(*Reading.objects.values_list("language", "sentiment")[0])
    ]


def test_filters_by_language_and_sentiment(product: Any, say: Any) -> None:
    say("I hate it", said_at="2026-01-03")
    say("It is there", said_at="2026-01-02")
    say("Warum die Nummer?", said_at="2026-01-01", language="en")  # the shop's setting; the words say otherwise
    tell_waiting(tell=fixed)
    say("noch nicht gefragt", language="de-AT")
    assert found(product, language="de") == ["noch nicht gefragt", "Warum die Nummer?"]
    assert found(product, language="EN", sentiment="negative") == found(product, words="hate") == ["I hate it"]
    assert found(product, language="fr") == found(product, language="'; --") == []
    assert queries.languages(product) == [("en", "English"), ("de", "German")]
    with pytest.raises(Invalid, match="no sentiment"):
        found(product, sentiment="angry")


def test_an_outcome_stands_for_all_below_it(actor: Any, product: Any, say: Any, opportunity: Any) -> None:
    from whytree.tree.services import move_node

    outcome = create_outcome(actor, product, title="Activated in 7 days")
    link_excerpt(actor, say("below it"), opportunity)
    say("elsewhere")
    assert found(product, opportunity="OPP-1") == ["below it"]
    assert found(product, opportunity="OUT-1") == []
    move_node(actor, opportunity, outcome)
    assert found(product, opportunity="out-1") == ["below it"]


def test_a_page_shows_it_as_machine_made(as_bob: Any, product: Any, say: Any) -> None:
    say("I hate it", rating=1)
    page = as_bob.get("/p/sprout/FB-1").content.decode()
    assert "sounds negative" not in page
    tell_waiting(tell=fixed)
    page = as_bob.get("/p/sprout/FB-1").content.decode()
    assert "sounds negative" in page
    assert "machine-made" in page
    assert "they gave 1★" in page
    page = as_bob.get("/p/sprout/voices?state=all&language=en&sentiment=negative").content.decode()
    assert "1 voice in English sounding negative" in page


def test_api_and_command_line_filter(api: Any, cli: Callable[..., Done], product: Any, say: Any) -> None:
    say("I hate it")
    say("Warum die Nummer?")
    assert api.get("/products/sprout/feedback/FB-1").ok["told"] is None
    tell_waiting(tell=fixed)
    items = api.get("/products/sprout/feedback?sentiment=negative").ok["items"]
    assert [(one["ref"], one["told"]) for one in items] == [("FB-1", {"language": "en", "sentiment": "negative"})]
    assert api.get("/products/sprout/feedback?sentiment=angry").status == 400
    assert "Nummer" in cli("feedback", "search", "--language", "de").out
    assert "Nothing found" in cli("feedback", "search", "--language", "de", "--sentiment", "negative").out


def test_a_segment_is_a_cohort(store: Any, actor: Any, product: Any, say: Any) -> None:
    from whytree.analytics.cohorts.services import create_cohort_list

    create_cohort_list(actor, product, key="beta", ids=["mira"])
    say("from the beta", person="mira")
    say("from elsewhere", person="jo")
    say("from nobody")
    assert found(product, segment="beta") == ["from the beta"]
