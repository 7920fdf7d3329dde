"""Somebody is forgotten: no table and no part of the event store says any more who it was or what they said."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models
from django.utils import timezone

from whytree.errors import Forbidden, NotFound, Unavailable
from whytree.people.identity import person_hash
from whytree.people.models import Erasure, Person
from whytree.people.services import erase, everything_of, finish, join
from whytree.voice.models import FeedbackItem, Requester

MARK = "zebrafinch"  # stands in everything of hers, and in nothing else
MIRA = f"mira-{MARK}"
OTHER = f"device-{MARK}-2"
ADDRESS = f"Mira.{MARK}@example.org"

# Every text that names a user of the product or holds their words, and what becomes of it. A new one has to be decided on.
NAMES_A_USER = {
    "people.Person.key": "the row goes",
    "people.Person.email": "the row goes",
    "people.Erasure.ids": "emptied when it is finished",
    "tree.EvidenceLink.person_key": "a random number in its place",
    "voice.FeedbackItem.person_key": "emptied",
    "voice.FeedbackItem.author_name": "emptied",
    "voice.Requester.person_key": "a random number in its place",
    "voice.Interview.person_key": "emptied, with every word of the talk",
    "voice.UsabilitySession.person_key": "emptied, with what observers noted",
    "voice.SurveyResponse.person_key": "a random number in its place, and no words",
    "voice.Contact.person_key": "a random number in its place",
    "voice.ContactWish.person_key": "the row goes",
    "code.Ticket.author": "emptied, with the words",
    "code.TicketComment.author": "emptied, with the words",
    "code.PullRequest.author": "emptied, with the words",
}
# Those that name people of the team, who have accounts of their own.
NAMES_THE_TEAM = re.compile(r"^(?:workspace|why)\.|^tree\.Note\.author_name$|^code\.Commit\.|^code\.CodeOwner")

QUESTIONS = [{"kind": "nps", "text": "Would you?"}, {"kind": "open", "text": "Why?"}]

_ids = count(1)


@pytest.fixture
def mira(store: Any, actor: Any, product: Any) -> str:
    """Somebody of whom everything there is to know is known."""
    from whytree.code.models import Ticket, TicketComment
    from whytree.stores.writing.capture import put_aside
    from whytree.tree.services import create_opportunity, create_solution
    from whytree.voice.arriving.drafts import Source
    from whytree.voice.contacts import log_contact, set_wish
    from whytree.voice.interviews.services import Span as TalkSpan
    from whytree.voice.interviews.services import (
        highlight_talk,
        import_interview,
        link_highlight,
        remove_highlight,
        write_snapshot,
    )
    from whytree.voice.queries.loop import loop_of
    from whytree.voice.rounds.services import add_session, plan_round, see_problem
    from whytree.voice.services import add_feedback, highlight, link_excerpt, loop, save_view
    from whytree.voice.services.linking import Span
    from whytree.voice.surveys.answering import Answerer, answer
    from whytree.voice.surveys.models import Via
    from whytree.voice.surveys.services import create_survey, start_survey

    at = timezone.now() - timedelta(days=3)

    def event(person: str, name: str, **properties: str) -> dict[str, Any]:
        return {
            "product": product.pk,
            "person": person_hash(product.pk, person),
            "distinct_id": person,
            "event": name,
            "timestamp": at,
            "received_at": at,
            "event_id": next(_ids),
            "properties": properties,
        }

    met = {"flag": "ask_later", "variant": "on", "reason": "SPLIT"}
    store.insert(
        "events",
        [
            event(MIRA, "planted", note=f"for {MARK}"),
            event(MIRA, "$exposure", **met),
            event(OTHER, "$pageview"),
            event("jo", "planted"),
            event("jo", "$exposure", **met),
        ],
    )
    put_aside(
        [
            {
                "product": product.pk,
                "received_at": at,
                "kind": "merge",
                "reason": f"{MIRA} and jo are two",
                "event": "$alias",
                "distinct_id": "jo",
                "message_id": "m",
                "source": "capture",
                "body": "",
            }
        ]
    )
    join(actor, product, MIRA, OTHER)
    said = f"my words, says {MARK}"
    source = Source("support", "desk", "desk")
    item = add_feedback(
        actor,
        product,
        source=source,
        text=said,
        person=MIRA,
        author_name=f"Mira {MARK}",
        author_email=ADDRESS,
        metadata={"a": MARK},
    )
    add_feedback(actor, product, source=source, text=f"by address only, {MARK}", author_email=ADDRESS)
    opportunity = create_opportunity(actor, product, title="I do not want to give my number")
    solution = create_solution(actor, product, opportunity=opportunity, title="Ask later")
    highlight(actor, item, Span.of(item))
    link_excerpt(actor, item, opportunity)
    token = loop.link_for(actor, solution, loop_of(solution).askers[0].key).rsplit("/", 1)[1]
    loop.answer(token, solved=False, words=f"no, says {MARK}")
    talk = import_interview(
        actor,
        product,
        f"Alice: Hello Mira {MARK}?\nMira {MARK}: It felt odd, says {MARK}.\nAlice: Odd?\nMira {MARK}: Odd.",
        person=MIRA,
        participant=f"Mira {MARK}",
        segment=f"friends of {MARK}",
        media_url=f"https://example.org/{MARK}.mp3",
        notes=f"met {MARK} at the fair",
        file_name=f"{MARK}.vtt",
        source_id=f"talk-{MARK}",
    ).interview
    link_highlight(actor, highlight_talk(actor, talk, TalkSpan(first=2), tags=["odd"]), opportunity)
    remove_highlight(actor, highlight_talk(actor, talk, TalkSpan(first=1)))
    log_contact(actor, product, MIRA, kind="survey", subject="a survey")
    set_wish(actor, product, MIRA, may=False)
    watched = plan_round(actor, product, title="Sign-up", tasks=["Sign up"])
    see_problem(actor, add_session(actor, watched, person=MIRA), title="Missed it", severity=2, note=f"as {MARK} said")
    write_snapshot(actor, talk, name=f"Mira {MARK}", quick_facts=f"lives with {MARK}")
    survey = start_survey(actor, create_survey(actor, product, title="Spring", questions=QUESTIONS, hidden=["plan"]))
    who = Answerer(MIRA, Via.API, MIRA, {"plan": MARK}, url=f"https://example.org/{MARK}")
    answer(survey, {"q1": 3, "q2": f"because, says {MARK}"}, who)
    save_view(actor, product, name="hers", query=f"person={MIRA}")
    ticket = Ticket.objects.create(product=product, key="#4", title="Form", author=MIRA, body=f"words of {MARK}")
    TicketComment.objects.create(ticket=ticket, mark="1", author=MIRA, text=f"more of {MARK}")
    return MIRA


def rows_that_say(mark: str) -> Iterator[str]:
    """Every row of every table, and of the event store's, that holds these letters in any case."""
    for model in apps.get_models():
        table = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')
            yield from (
                f"{table} {row}"[:300] for row in cursor.fetchall() if mark in json.dumps(row, default=str).lower()
            )


def store_rows_that_say(store: Any, mark: str) -> Iterator[str]:
    for table in ("events", "merge_edges", "person_overrides", "quarantine", "catalogue", "marks"):
        for row in store.query(f"SELECT * FROM {table}", {}):
            if mark in json.dumps(row, default=str).lower():
                yield table


def test_before_she_stands_in_every_table_that_names_a_user(mira: str, store: Any) -> None:
    """Else the next test proves nothing."""
    there = {row.split(" ")[0] for row in rows_that_say(MARK)}
    expected = {"people_person", "voice_feedbackitem", "voice_highlight", "voice_requester", "voice_savedview"}
    expected |= {"voice_interview", "voice_transcript", "voice_interviewsnapshot"}
    expected |= {"voice_surveyresponse"}
    expected |= {"voice_contact", "voice_contactwish"}
    assert there >= expected | {"tree_evidencelink", "code_ticket", "code_ticketcomment", "workspace_activity"}
    assert set(store_rows_that_say(store, MARK)) == {"events", "merge_edges", "person_overrides", "quarantine"}


@pytest.mark.parametrize("key", [MIRA, OTHER])
def test_afterwards_nothing_anywhere_says_her_name_or_her_words(
    mira: str, actor: Any, product: Any, store: Any, key: str
) -> None:
    done = erase(actor, product, key)
    assert list(rows_that_say(MARK)) == []
    assert list(store_rows_that_say(store, MARK)) == []
    told = store.query("SELECT command FROM system.mutations")
    assert told
    assert MARK not in json.dumps(told).lower(), "the engine keeps what it was told to delete"
    assert (done.number, done.ids, done.events, done.finished_at is not None) == (1, [], 4, True)


def test_what_was_counted_stays(mira: str, actor: Any, product: Any, store: Any) -> None:
    from whytree.tree.models import EvidenceLink

    before = FeedbackItem.objects.count(), EvidenceLink.objects.count(), Requester.objects.filter(solved=False).count()
    erase(actor, product, mira)
    after = FeedbackItem.objects.count(), EvidenceLink.objects.count(), Requester.objects.filter(solved=False).count()
    assert before == after
    assert store.value("SELECT count() FROM events WHERE distinct_id = 'jo'") == 2


def test_that_there_was_a_talk_stays(mira: str, actor: Any, product: Any) -> None:
    from whytree.errors import Conflict
    from whytree.voice.interviews.services import import_interview, set_interview
    from whytree.voice.models import Interview

    held_at = Interview.objects.get().held_at
    erase(actor, product, mira)
    talk = Interview.objects.get()
    assert (talk.ref, talk.who, talk.held_at, len(talk.transcript.lines)) == ("INT-1", "an erased person", held_at, 4)
    assert talk.interviewers == ["Alice"]
    for again in ("a new transcript under the old id", "the old one"):
        with pytest.raises(Conflict, match="do not come back"):
            import_interview(actor, product, f"Alice: {again}\nMira: {again}", source_id=f"talk-{MARK}")
    with pytest.raises(Conflict, match="do not come back"):
        set_interview(actor, talk, participant="Mira again")


def test_no_person_is_forgotten_twice_and_nobody_is_no_person(mira: str, actor: Any, product: Any) -> None:
    erase(actor, product, mira)
    with pytest.raises(NotFound, match="nothing to forget"):
        erase(actor, product, mira)
    with pytest.raises(NotFound):
        erase(actor, product, "never seen")
    assert Erasure.objects.count() == 1


def test_where_the_event_store_is_away_or_the_server_killed_it_goes_on_at_the_next_start(
    mira: str, actor: Any, product: Any, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.people.jobs import finish_what_was_cut_off
    from whytree.stores.errors import StoreUnavailable
    from whytree.stores.identity import erasing
    from whytree.workspace.background.jobs import run_next

    real = erasing.erase_person

    def away(*_: Any) -> int:
        raise StoreUnavailable("the event store does not answer")

    monkeypatch.setattr(erasing, "erase_person", away)
    with pytest.raises((StoreUnavailable, Unavailable)):
        erase(actor, product, mira)
    assert Erasure.objects.get().finished_at is None
    monkeypatch.setattr(erasing, "erase_person", real)
    finish_what_was_cut_off()
    assert run_next("test")
    assert list(rows_that_say(MARK)) == []
    assert list(store_rows_that_say(store, MARK)) == []


def test_it_may_be_done_again_without_harm(mira: str, actor: Any, product: Any, store: Any) -> None:
    erasure = Erasure.objects.create(product=product, number=1, ids=[mira, OTHER, ADDRESS, ADDRESS.lower()])
    finish(actor, erasure)
    erasure.ids = [mira]
    finish(actor, erasure)
    assert list(rows_that_say(MARK)) == []


def test_every_column_that_names_a_user_was_decided_on() -> None:
    named = re.compile(r"person_key|distinct|author|e_?mail|requester|(?<![a-z])ids(?![a-z])")
    found = set()
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            label = f"{model._meta.label}.{field.name}"
            is_text = isinstance(field, models.CharField | models.TextField | models.JSONField)
            if is_text and named.search(field.name) and not NAMES_THE_TEAM.search(label):
                found.add(label)
    assert found | {"people.Person.key"} == set(NAMES_A_USER)


# What they may ask for


def test_everything_that_is_known_is_given(mira: str, actor: Any, product: Any) -> None:
    told = everything_of(actor, product, mira)
    assert {MIRA, OTHER, ADDRESS.lower()} <= set(told["ids"])
    assert sorted(one["event"] for one in told["events"]) == [
        "$exposure",
        "$pageview",
        "SUR-1 answered",
        "planted",
    ]
    written = json.dumps(told)
    for words in (
        "my words, says",
        "because, says",
        "by address only",
        "no, says",
        "words of",
        "more of",
        "felt odd, says",
        "friends of",
    ):
        assert f"{words} {MARK}" in written or f"{words}, {MARK}" in written
    assert told["profiles"][0]["email"].lower() == ADDRESS.lower()
    assert '"jo"' not in written


@pytest.mark.parametrize("hers", ["profile", "events"])
def test_an_address_that_somebody_else_goes_by_is_not_given_away(
    actor: Any, product: Any, store: Any, hers: str
) -> None:
    from whytree.people.services import ensure_person
    from whytree.voice.arriving.drafts import Source
    from whytree.voice.services import add_feedback

    address = "mira@example.org"
    add_feedback(actor, product, source=Source("support"), text="written by Mira", author_email=address)
    ensure_person(product, "mallory", email=address.upper())
    assert "written by Mira" in json.dumps(everything_of(actor, product, "mallory"))  # nobody else says so
    if hers == "profile":
        ensure_person(product, "mira", email=address)
    else:
        at = timezone.now()
        row = {"product": product.pk, "person": person_hash(product.pk, address), "distinct_id": address}
        store.insert("events", [row | {"event": "planted", "timestamp": at, "received_at": at, "event_id": 77}])
    assert "written by Mira" not in json.dumps(everything_of(actor, product, "mallory"))
    erase(actor, product, "mallory")
    assert FeedbackItem.objects.get().text == "written by Mira"


def test_the_doors(
    mira: str, as_alice: Any, as_bob: Any, api: Any, api_bob: Any, api_charlie: Any, bob: Any, actor: Any
) -> None:
    path = f"/products/sprout/people/{MIRA}"
    assert api.get(f"{path}/everything").ok["ids"]
    assert api_bob.get(f"{path}/everything").status == 403
    assert api_bob.delete(path).status == 403
    assert api_charlie.delete(path).status == 404
    page = as_alice.get(f"/p/sprout/people/{MIRA}", follow=True).content.decode()
    assert "Forget them" in page
    assert "With what is known under" in page
    assert f'<span class="mono">{ADDRESS.lower()}</span>' in page
    assert "Forget them" not in as_bob.get(f"/p/sprout/people/{MIRA}", follow=True).content.decode()
    file = as_alice.get(f"/p/sprout/people/{MIRA}/everything")
    assert "attachment" in file["Content-Disposition"]
    wrong = as_alice.post(f"/p/sprout/people/{MIRA}/erase", {"id": "mira"})
    assert (wrong.status_code, "Type their id" in wrong.content.decode()) == (400, True)
    assert as_alice.post(f"/p/sprout/people/{MIRA}/erase", {"id": MIRA}).status_code == 302
    assert not Person.objects.filter(key=MIRA).exists()
    assert api.delete(path).status == 404


def test_only_a_maintainer_may(mira: str, bob: Any, product: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    for act in (erase, everything_of):
        with pytest.raises(Forbidden):
            act(actor_of_user(bob), product, mira)
