"""Search by meaning beside the words: labelled, filtered, never in the way of who has the words, forgotten with them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from whytree.engines.meaning import Space, fuse, learn, learn_with, nearest
from whytree.errors import Invalid
from whytree.people.models import Person
from whytree.voice import queries
from whytree.voice.interviews.erasing import erase_interviews
from whytree.voice.interviews.finding import talks_with
from whytree.voice.interviews.services import edit_transcript, import_interview, set_interview
from whytree.voice.meaning.forgetting import forget_places
from whytree.voice.meaning.placing import keep_places
from whytree.voice.meaning.talks import PASSAGE, passages
from whytree.voice.models import FeedbackItem, MeaningShard, MeaningSpace, MeaningTalk, Transcript
from whytree.voice.plugs import search
from whytree.voice.queries import Wanted, page_of
from whytree.voice.services.erasing import erase_feedback
from whytree.workspace.models import Job

from .conftest import Done, here

PHONE = [
    f"They asked for my telephone number before I could look around, {word}" for word in ["ten", "six", "two", "nine"]
]
PHONES = [
    f"Telephoning me for a confirmation is {word}, keep my numbers out of it" for word in ["bad", "sad", "mad", "odd"]
]
BILL = [
    f"The invoice arrived twice this month and I paid {word} euros too much" for word in ["ten", "six", "two", "nine"]
]
BILLS = [f"Invoices are paid {word} and the billing page shows nothing" for word in ["late", "early", "never", "often"]]
DARK = [f"Dark colours would help my eyes at night, {word}" for word in ["please", "thanks", "soon", "kindly"]]
OTHER = [f"The garden calendar forgets my {word} every spring" for word in ["beans", "roses", "tomatoes", "salad"]]


@pytest.fixture
def spoken(product: Any, say: Any) -> dict[str, FeedbackItem]:
    """Twenty-four voices of five kinds, placed."""
    items = {
        text: say(text, person=f"p{at}") for at, text in enumerate([*PHONE, *PHONES, *BILL, *BILLS, *DARK, *OTHER])
    }
    assert keep_places(product, apart=here) == len(items)
    return items


def found(product: Any, words: str, **wanted: Any) -> tuple[list[str], list[str]]:
    """Texts with the words and those by meaning alone."""
    page = page_of(product, Wanted(**{"state": "all", "words": words, **wanted}))
    alike = [item.text for item in page.items if item.pk in page.by_meaning]
    return [item.text for item in page.items if item.text not in alike], alike


@pytest.mark.slow  # starts a process
def test_it_is_learnt_and_placed_in_a_process_of_its_own(product: Any, say: Any) -> None:
    for text in [*PHONE, *PHONES, *BILL, *BILLS, *DARK, *OTHER]:
        say(text)
    assert keep_places(product) == 24


def test_who_means_it_is_found_and_labelled_and_who_has_the_words_is_never_lost(product: Any, spoken: Any) -> None:
    exact, alike = found(product, "telephone numbers")
    assert exact == []  # nobody has both words
    assert set(alike[:4]) <= {*PHONE, *PHONES}
    exact, alike = found(product, "invoice")
    assert set(exact) == {*BILL, *BILLS}
    assert not set(alike) & set(exact)


def test_a_word_in_more_voices_than_are_ranked_is_no_meaning(product: Any, spoken: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(queries.paging, "MOST_FUSED", 3)
    exact, alike = found(product, "invoice")
    assert set(exact) == {*BILL, *BILLS}
    assert not set(alike) & set(exact)


def test_what_nobody_speaks_of_finds_nobody(product: Any, spoken: Any) -> None:
    for words in ("kubernetes cluster", "pizza", "xqzt", "電話番号"):
        assert found(product, words) == ([], [])


def test_quotes_and_only_words_mean_what_they_say_and_minus_holds_for_meaning_too(product: Any, spoken: Any) -> None:
    assert found(product, '"telephone numbers"') == ([], [])
    assert found(product, "telephone numbers", only_words=True) == ([], [])
    alike = found(product, "telephone numbers -confirmation")[1]
    assert alike
    assert not any("confirmation" in text for text in alike)


def test_filters_hold_for_what_is_found_by_meaning(product: Any, say: Any, spoken: Any, monkeypatch: Any) -> None:
    Person.objects.filter(product=product, key="p1").update(plan="pro")
    Person.objects.get_or_create(product=product, key="p1", defaults={"plan": "pro"})
    for narrow in (20_000, 0):  # those let through are looked at one by one, or afterwards
        monkeypatch.setattr(queries.paging, "NARROW", narrow)
        assert found(product, "telephone numbers", plan="pro") == ([], [PHONE[1]])
        assert found(product, "telephone numbers", state="away") == ([], [])


def test_pages_hold_everything_once(product: Any, say: Any, spoken: Any) -> None:
    for at in range(30):
        say(f"invoice number {at} is wrong again")
    keep_places(product, apart=here)
    seen, after = [], ""
    while True:
        page = page_of(product, Wanted(state="all", words="invoice"), after=after, size=7)
        seen += [item.pk for item in page.items]
        after = page.next
        if not after:
            break
    assert len(seen) == len(set(seen))
    assert {item.pk for item in FeedbackItem.objects.filter(text__icontains="invoice")} <= set(seen)


def test_an_erased_person_is_gone_from_it_in_every_process(product: Any, spoken: Any) -> None:
    held = found(product, "telephone numbers")[1]  # this process has read the shards
    assert PHONE[0] in held
    pk = spoken[PHONE[0]].pk
    words = MeaningSpace.objects.get().data
    erase_feedback(product, "p0")
    for shard in MeaningShard.objects.all():
        ids = np.frombuffer(shard.ids, dtype=np.int64)
        codes = np.frombuffer(shard.codes, dtype=np.int8).reshape(len(ids), -1)
        assert pk not in ids
        assert not codes[ids == 0].any()
    assert not any("erased" in text for text in found(product, "telephone numbers")[1])
    assert keep_places(product, thoroughly=True, apart=here) == 23  # learnt anew, from those who are there
    assert MeaningSpace.objects.get().data != words
    for item in FeedbackItem.objects.exclude(person_key="").exclude(person_key="p1"):
        erase_feedback(product, item.person_key)
    assert keep_places(product, apart=here) == 0
    assert not MeaningSpace.objects.exists()  # too few are left to learn from, and nobody's words stay


def test_who_is_forgotten_while_a_space_is_learnt_is_not_in_the_next(product: Any, spoken: Any, say: Any) -> None:
    def forgotten_meanwhile(function: Any, *arguments: Any) -> Any:
        learnt = function(*arguments)
        if function is learn_with:
            erase_feedback(product, "p1")
        return learnt

    erase_feedback(product, "p0")
    keep_places(product, apart=forgotten_meanwhile)
    old = MeaningSpace.objects.get().pk
    keep_places(product, apart=here)
    assert MeaningSpace.objects.get().pk != old
    assert MeaningSpace.objects.get().learnt_from == 24


def test_other_words_are_placed_anew_and_what_slipped_by_is_found(product: Any, say: Any, spoken: Any) -> None:
    say("The invoice is wrong", submission_id="x")
    keep_places(product, apart=here)
    say("A telephone number is none of your business, numbers are mine", submission_id="x")
    assert keep_places(product, apart=here) == 1
    assert "A telephone number is none of your business, numbers are mine" in found(product, "telephone numbers")[0]
    forget_places(product, [spoken[DARK[0]].pk])  # as if it had never been placed
    assert keep_places(product, apart=here) == 0
    assert keep_places(product, thoroughly=True, apart=here) == 1
    gone = spoken[DARK[1]].pk
    FeedbackItem.objects.filter(pk=gone).delete()
    keep_places(product, thoroughly=True, apart=here)
    assert all(gone not in np.frombuffer(one.ids, dtype=np.int64) for one in MeaningShard.objects.all())


def test_words_that_changed_while_they_were_read_are_not_placed(product: Any, say: Any, spoken: Any) -> None:
    item = say("Billing is wrong again and again")

    def changed_meanwhile(function: Any, *arguments: Any) -> Any:
        FeedbackItem.objects.filter(pk=item.pk).update(text="something else")
        return function(*arguments)

    assert keep_places(product, apart=changed_meanwhile) == 1  # what it says now
    assert MeaningSpace.objects.get().has_holes is False


def test_what_outgrew_its_space_gets_another_and_few_voices_get_none(
    product: Any, other_product: Any, say: Any
) -> None:
    say("one voice alone")
    assert keep_places(product, apart=here) == 0
    assert found(product, "voice") == (["one voice alone"], [])
    for text in [*PHONE, *PHONES, *BILL, *BILLS, *DARK, *OTHER]:
        say(text)
    keep_places(product, apart=here)
    first = MeaningSpace.objects.get().pk
    for at in range(40):
        say(f"the calendar shows week {at} of the garden")
    keep_places(product, apart=here)
    assert MeaningSpace.objects.get().pk != first
    assert found(other_product, "telephone numbers") == ([], [])


def test_it_is_asked_for_once_and_the_box_says_what_is_by_meaning(
    product: Any, actor: Any, say: Any, spoken: Any
) -> None:
    assert Job.objects.filter(kind="voice.place", state=Job.State.WAITING).count() == 1
    hits = search(actor, product, "telephone numbers", 5)
    assert hits
    assert {hit.kind for hit in hits} == {"voice, by meaning"}


def test_page_api_and_command_say_so(
    as_alice: Any, api: Any, product: Any, spoken: Any, cli: Callable[..., Done]
) -> None:
    page = as_alice.get("/p/sprout/voices?state=all&q=telephone+numbers").content.decode()
    assert ">by meaning</span>" in page
    assert "only_words=1" in page
    items = api.get("/products/sprout/feedback?q=telephone+numbers").ok["items"]
    assert items
    assert all(one["by_meaning"] for one in items)
    assert api.get("/products/sprout/feedback?q=telephone+numbers&only_words=true").ok["items"] == []
    assert "~FB-" in cli("feedback", "search", "telephone", "numbers").out
    assert "Nothing found" in cli("feedback", "search", "telephone", "numbers", "--only-words").out


TALK = """WEBVTT

00:01.000 --> 00:04.000
<v Bob>When did you last sign up for something?

00:05.000 --> 00:09.000
<v Ana>It wanted my telephone, and I put the phone away.
"""


def test_what_was_said_in_talks_is_found_with_its_line(
    as_alice: Any, api: Any, actor: Any, product: Any, other_product: Any, say: Any, cli: Callable[..., Done]
) -> None:
    made = import_interview(actor, product, transcript=TALK, interviewers=["Bob"]).interview
    (talk,) = talks_with(product, Wanted(words="TELEPHONE").query, limit=3)
    assert (talk.interview, talk.line, talk.speaker) == (made, 2, "Ana")
    assert [piece.text for piece in talk.shown if piece.marked] == ["telephone"]
    assert talks_with(product, Wanted(words="telephone -phone").query, limit=3) == []
    assert talks_with(other_product, Wanted(words="telephone").query, limit=3) == []
    say("My telephone rang")
    assert f"/p/sprout/{made.ref}#line-2" in as_alice.get("/p/sprout/voices?state=all&q=telephone").content.decode()
    (said,) = api.get("/products/sprout/interview-search?q=telephone").ok
    assert said["url"] == f"/p/sprout/{made.ref}#line-2"
    assert made.ref in cli("interview", "search", "telephone").out
    made.transcript.delete()
    assert talks_with(product, Wanted(words="telephone").query, limit=3) == []


LONG = """WEBVTT

00:01.000 --> 00:04.000
<v Bob>Tell me about the last garden you planted.

00:05.000 --> 00:06.000
<v Ana>Beans, mostly, and a rose for my mother. It rained.

00:06.500 --> 00:08.000
<v Ana>Then the telephoning began.

00:08.000 --> 00:12.000
<v Ana>They were telephoning me, a confirmation, my telephone number again.
"""


def test_talks_are_found_by_meaning_behind_those_with_the_words(
    as_alice: Any, api: Any, actor: Any, product: Any, spoken: Any, cli: Callable[..., Done]
) -> None:
    made = import_interview(actor, product, transcript=LONG, interviewers=["Bob"]).interview
    keep_places(product, apart=here)
    query = Wanted(words="telephone numbers confirmation").query
    (talk,) = talks_with(product, query, limit=3)
    assert (talk.interview, talk.by_meaning, talk.speaker) == (made, True, "Ana")
    assert talks_with(product, query, limit=3, only_words=True) == []
    assert talks_with(product, Wanted(words='"telephone numbers"').query, limit=3) == []
    assert talks_with(product, Wanted(words="telephone numbers -rose").query, limit=3) == []
    assert talks_with(product, Wanted(words="kubernetes cluster").query, limit=3) == []
    page = as_alice.get("/p/sprout/voices?state=all&q=telephone+numbers+confirmation").content.decode()
    assert f"{made.ref}, a talk with" in page
    said = api.get("/products/sprout/interview-search?q=telephone+numbers+confirmation").ok
    assert [one["by_meaning"] for one in said] == [True]
    assert f"~{made.ref}" in cli("interview", "search", "telephone", "numbers", "confirmation").out
    assert "Nobody said" in cli("interview", "search", "telephone", "numbers", "confirmation", "--only-words").out

    edit_transcript(actor, made, "[00:00:01.000 - 00:00:04.000] Ana: Beans, mostly, and a rose for my mother.")
    assert talks_with(product, query, limit=3) == []  # a line of other words is no answer
    keep_places(product, apart=here)
    assert talks_with(product, query, limit=3) == []
    assert MeaningTalk.objects.count() == 1
    set_interview(actor, made, person="ana-1")
    erase_interviews(product, "ana-1")
    assert not MeaningTalk.objects.exists()
    keep_places(product, apart=here)
    assert not MeaningTalk.objects.exists()


def test_passages_are_what_one_says_on_end_and_long_ones_are_parted(actor: Any, product: Any) -> None:
    speech = " ".join(f"word{number}" for number in range(200))
    text = f"Bob: Hm?\nAna: Yes.\nAna: No.\nBob: {speech}\nAna: Well."
    made = import_interview(actor, product, transcript=text).interview
    found = list(passages(Transcript.objects.get(interview=made)))
    assert [(line, words) for line, words in found if "word" not in words] == [
        (1, "Hm?"),
        (2, "Yes. No."),
        (5, "Well."),
    ]
    assert " ".join(words for line, words in found if line == 4) == speech
    assert max(len(words) for _, words in found) <= PASSAGE


def test_a_space_lies_in_bytes_without_code_and_is_the_same_again() -> None:
    texts = [*PHONE, *PHONES, *BILL, *BILLS, *DARK, *OTHER]
    space = learn(texts)
    assert space is not None
    again = Space.from_bytes(space.to_bytes())
    codes = again.codes(texts)
    assert codes.dtype == np.int8
    assert np.array_equal(codes, again.codes(texts))
    at, like = nearest([codes[:10], codes[10:]], again.place(texts[12]), most=3)
    assert at[0] == 12
    assert like[0] > 0.97
    assert learn(texts[:5]) is None
    assert learn(["😀"] * 50) is None
    assert not again.place("").any()


def test_fused_lists_keep_everything_and_agree_first() -> None:
    assert fuse([1, 2, 3], [3, 4]) == [3, 1, 2, 4]
    assert fuse([], [7]) == [7]
    assert fuse() == []


def test_a_state_that_there_is_not_is_refused_here_too(product: Any, spoken: Any) -> None:
    with pytest.raises(Invalid):
        found(product, "telephone numbers", state="lost")
