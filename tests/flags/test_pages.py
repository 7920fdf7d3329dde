"""The pages: what they say first, what their forms do, and who may."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from whytree.flags.models import Flag
from whytree.flags.pages import _flag_sentence, _list_sentence
from whytree.flags.queries import rule_sentences
from whytree.flags.services import archive_flag, create_flag, open_flag, set_rollout, set_rules, turn_on

pytestmark = pytest.mark.django_db


@pytest.fixture
def flag(actor: Any, product: Any) -> Flag:
    create_flag(actor, product, key="ask-later", name="Asks for the number later", weights={"on": 1, "off": 1})
    return open_flag(actor, product, "ask-later", coverage=2_500)


def test_the_list_shows_state_solution_and_what_is_unjustified(
    as_alice: Any, actor: Any, product: Any, hypothesis: Any, flag: Flag, store: Any
) -> None:
    create_flag(actor, product, key="justified", hypothesis=hypothesis)
    page = as_alice.get("/p/sprout/flags").content.decode()
    assert "1 flag is open to people; it has no hypothesis." in page
    assert "on 25 %" in page
    assert "width:25%" in page
    assert page.count("unjustified</span>") == 1
    assert f'href="/p/sprout/{hypothesis.ref}"' in page


@pytest.mark.parametrize(
    ("opened", "blind", "sentence"),
    [
        (0, 0, "No flag is open to people."),
        (1, 0, "1 flag is open to people, with a hypothesis."),
        (3, 0, "3 flags are open to people, each with a hypothesis."),
        (3, 1, "3 flags are open to people; one of them has no hypothesis."),
        (4, 2, "4 flags are open to people, 2 of them with a hypothesis."),
        (3, 3, "3 flags are open to people, none with a hypothesis."),
    ],
)
def test_the_list_begins_with_a_sentence(opened: int, blind: int, sentence: str) -> None:
    flags = [
        Flag(is_on=n < opened, coverage=1, weights={}, variants={}, hypothesis_id=None if n < blind else 1)
        for n in range(4)
    ]
    assert _list_sentence(flags) == sentence


def test_a_flags_sentence_says_who_gets_what(actor: Any, product: Any) -> None:
    flag = create_flag(actor, product, key="f")
    assert _flag_sentence(flag) == "f is off: everybody gets off."
    assert _flag_sentence(turn_on(actor, product, "f")) == "f is on, but at 0 %: everybody gets off."
    partly = set_rollout(actor, product, "f", coverage=2_500)
    assert _flag_sentence(partly) == "f reaches 25 % of the people: they get on, the others off. Nothing is compared."
    assert _flag_sentence(set_rollout(actor, product, "f", coverage=10_000)) == "f reaches everybody: all get on."
    split = set_rollout(actor, product, "f", weights={"on": 1, "off": 3})
    assert _flag_sentence(split) == "f reaches everybody: on 25 %, off 75 %."
    ramped = set_rollout(actor, product, "f", coverage=50)
    assert _flag_sentence(ramped) == "f reaches 0.5 % of the people: on 25 %, off 75 %; the others get off."
    tomorrow = timezone.now() + timedelta(days=1)
    assert _flag_sentence(set_rules(actor, product, "f", on_from=tomorrow)).startswith("f begins on ")
    rule = {"if": [{"==": [1, 2]}, "of", {"fractional": [["on", 1], ["off", 1]]}]}
    sentences = rule_sentences(set_rules(actor, product, "f", targeting=rule))
    assert sentences[-1] == "There is no variant of: whom the rule gives it gets code’s own default."
    assert (
        _flag_sentence(archive_flag(actor, product, "f"))
        == "f is archived: code that asks for it gets its own default."
    )


def test_a_flag_is_added_by_the_form(as_bob: Any, product: Any, hypothesis: Any) -> None:
    sent = {
        "key": "price",
        "kind": "number",
        "name": "What it costs",
        "variants": "control = 9.90\n\nlow = 7",
        "hypothesis": hypothesis.ref,
        "solution": "",
    }
    answer = as_bob.post("/p/sprout/flags", sent)
    assert answer.url == "/p/sprout/flags/price"
    flag = Flag.objects.get(key="price")
    assert flag.variants == {"control": 9.9, "low": 7.0}
    assert flag.solution == hypothesis.solution


@pytest.mark.parametrize(
    ("kind", "variants", "says"),
    [
        ("boolean", "nonsense", "is not a variant"),
        ("number", "a = x", "is no JSON"),
        ("string", "", "needs its variants"),
        ("colour", "", "no kind"),
    ],
)
def test_a_refused_form_comes_back_with_what_was_typed(
    as_alice: Any, store: Any, kind: str, variants: str, says: str
) -> None:
    answer = as_alice.post("/p/sprout/flags", {"key": "kept", "kind": kind, "variants": variants})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert says in page
    assert 'value="kept"' in page


def test_a_string_flag_keeps_its_words_as_they_are(as_alice: Any) -> None:
    as_alice.post("/p/sprout/flags", {"key": "words", "kind": "string", "variants": 'a = 10\nb = "x" = y'})
    assert Flag.objects.get(key="words").variants == {"a": "10", "b": '"x" = y'}


def test_the_rollout_form_changes_coverage_weights_and_switch(as_alice: Any, flag: Flag) -> None:
    sent = {"coverage": "12,5", "is_on": "on", "weight:on": "3", "weight:off": "1"}
    assert as_alice.post("/p/sprout/flags/ask-later/rollout", sent).status_code == 302
    flag.refresh_from_db()
    assert (flag.coverage, flag.weights, flag.is_on) == (1_250, {"on": 3, "off": 1}, True)
    as_alice.post("/p/sprout/flags/ask-later/rollout", {"switch": "off"})
    flag.refresh_from_db()
    assert (flag.coverage, flag.is_on) == (1_250, False)
    as_alice.post("/p/sprout/flags/ask-later/rollout", {"switch": "on"})
    flag.refresh_from_db()
    assert flag.is_on


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"coverage": "many"}, "as a number of percent"),
        ({"coverage": "101"}, "between 0 and 100 %"),
        ({"coverage": "nan"}, "as a number of percent"),
        ({"coverage": "0.001"}, "two decimals at most"),
        ({"coverage": "5", "weight:on": "half"}, "whole numbers"),
        ({"coverage": "5", "weight:on": "0", "weight:off": "0"}, "All weights are 0"),
        ({"coverage": "5", "weight:nope": "1"}, "no variant “nope”"),
    ],
)
def test_a_refused_rollout_says_why_and_changes_nothing(
    as_alice: Any, flag: Flag, store: Any, sent: dict[str, str], says: str
) -> None:
    answer = as_alice.post("/p/sprout/flags/ask-later/rollout", sent)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert says in page
    assert f'list="usual" required value="{sent["coverage"]}"' in page, "what was typed stays"
    assert all(f'value="{weight}"' in page for name, weight in sent.items() if name in ("weight:on", "weight:off"))
    flag.refresh_from_db()
    assert flag.coverage == 2_500


def test_the_page_evaluates_for_a_person_step_by_step(as_alice: Any, flag: Flag, store: Any) -> None:
    page = as_alice.get("/p/sprout/flags/ask-later", {"person": "maria"}).content.decode()
    assert "maria gets" in page
    assert "“ask-later/coverage/maria” falls into bucket 502 of 10,000" in page
    part = as_alice.get(
        "/p/sprout/flags/ask-later", {"person": "<b>x"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in part
    assert "&lt;b&gt;x" in part
    assert "<b>x" not in part


def test_the_page_warns_before_a_prediction_locks(
    as_alice: Any, actor: Any, product: Any, hypothesis: Any, store: Any
) -> None:
    create_flag(actor, product, key="f", hypothesis=hypothesis)
    page = as_alice.get("/p/sprout/flags/f").content.decode()
    assert f"locks the prediction of {hypothesis.ref}" in page


def test_the_page_shows_people_per_variant_and_the_history(
    as_alice: Any, flag: Flag, store: Any, no_worker: Any
) -> None:
    for n in range(3):
        no_worker.note(flag.product_id, "ask-later", f"u-{n}", "on", "SPLIT", "server")
    no_worker.flush()
    page = as_alice.get("/p/sprout/flags/ask-later").content.decode()
    assert '<b class="tally">3</b>' in page
    assert 'href="/p/sprout/people/u-2"' in page
    assert "turned on, coverage 0 % → 25 %" in page
    assert "by Alice" in page


def test_the_page_still_works_while_the_event_store_does_not(
    as_alice: Any, flag: Flag, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.errors import Unavailable
    from whytree.flags import queries

    def gone(*args: Any, **kwargs: Any) -> Any:
        raise Unavailable("gone")

    monkeypatch.setattr(queries.flag_exposures, "by_day", gone)
    page = as_alice.get("/p/sprout/flags/ask-later")
    assert page.status_code == 200
    assert "event store does not answer" in page.content.decode()


def test_name_solution_and_hypothesis_are_edited_by_the_form(as_alice: Any, flag: Flag, hypothesis: Any) -> None:
    as_alice.post("/p/sprout/flags/ask-later/edit", {"name": "New", "solution": "", "hypothesis": hypothesis.ref})
    flag.refresh_from_db()
    assert (flag.name, flag.hypothesis, flag.solution) == ("New", hypothesis, hypothesis.solution)


def test_a_flag_is_archived_found_again_and_restored(as_alice: Any, flag: Flag, store: Any) -> None:
    as_alice.post("/p/sprout/flags/ask-later/archive")
    assert "ask-later</b>" not in as_alice.get("/p/sprout/flags").content.decode()
    assert "ask-later</b>" in as_alice.get("/p/sprout/flags?archived").content.decode()
    assert "is archived" in as_alice.get("/p/sprout/flags/ask-later").content.decode()
    as_alice.post("/p/sprout/flags/ask-later/restore")
    assert "ask-later</b>" in as_alice.get("/p/sprout/flags").content.decode()


def test_a_viewer_reads_without_forms_and_may_not_post(as_viewer: Any, flag: Flag, store: Any) -> None:
    page = as_viewer.get("/p/sprout/flags/ask-later").content.decode()
    assert "reaches 25 % of the people" in page
    assert "Save the rollout" not in page
    assert "Archive" not in page
    for name in ("flag_rollout", "flag_edit", "flag_archive", "flag_restore"):
        assert as_viewer.post(reverse(name, args=["sprout", "ask-later"])).status_code == 403
    assert as_viewer.post("/p/sprout/flags", {"key": "x"}).status_code == 403


def test_an_outsider_and_a_wrong_key_get_404(as_charlie: Any, as_alice: Any, flag: Flag) -> None:
    assert as_charlie.get("/p/sprout/flags").status_code == 404
    assert as_charlie.get("/p/sprout/flags/ask-later").status_code == 404
    assert as_alice.get("/p/sprout/flags/nope").status_code == 404


def test_the_snippet_has_this_address_and_the_flags_own_type(
    as_alice: Any, actor: Any, product: Any, store: Any
) -> None:
    wanted = {
        "boolean": (None, 'get_boolean_value("f", False,'),
        "string": ({"control": "a", "b": "c"}, "get_string_value(\"f\", 'a',"),
        "number": ({"control": 9.5, "b": 7}, 'get_float_value("f", 9.5,'),
        "json": ({"control": {"n": [1]}}, "get_object_value(\"f\", {'n': [1]},"),
    }
    for kind, (variants, call) in wanted.items():
        Flag.objects.all().delete()
        create_flag(actor, product, key="f", kind=kind, variants=variants)
        snippet = as_alice.get("/p/sprout/flags/f").context["snippet"]
        assert call in snippet
        assert 'OFREPProvider("http://testserver"' in snippet


def test_variants_change_on_the_page_and_bad_ones_keep_what_was_typed(
    as_alice: Any, as_viewer: Any, product: Any, actor: Any, store: Any
) -> None:
    create_flag(actor, product, key="price", kind="number", variants={"control": 9.9, "low": 7.5})
    page = as_alice.get("/p/sprout/flags/price").content.decode()
    assert "control = 9.9\nlow = 7.5</textarea>" in page
    address = "/p/sprout/flags/price/variants"
    sent = {"variants": "control = 9.9\nlow = 6.5\nfree = 0.0", "default_variant": "control", "off_variant": "low"}
    assert as_viewer.post(address, sent).status_code == 403
    refused = as_alice.post(address, sent | {"variants": "control = 9.9\nlow = cheap"})
    assert (refused.status_code, "low = cheap</textarea>" in refused.content.decode()) == (400, True)
    gone = as_alice.post(address, sent | {"variants": "control = 9.9"})
    assert gone.status_code == 400, "one with a weight cannot go"
    assert "price has 3 variants." in as_alice.post(address, sent, follow=True).content.decode()
    flag = Flag.objects.get(key="price")
    assert (flag.variants, flag.off_variant) == ({"control": 9.9, "low": 6.5, "free": 0.0}, "low")
    assert flag.weights["free"] == 0
    taken = as_alice.post("/p/sprout/flags", {"key": "price", "kind": "boolean", "name": "Kept"})
    assert (taken.status_code, "There is a flag price already" in taken.content.decode()) == (409, True)
    assert 'value="Kept"' in taken.content.decode()
