"""`whytree daily`: voices of people whom your code touched, each once, and what waits for you."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.code.repositories import Clone
from tests.why.conftest import Tree
from whytree.code.models import Commit, Repository, Ticket, TicketComment
from whytree.flags.services import create_flag
from whytree.learning.models import OutcomeReview
from whytree.tree import services
from whytree.tree.models import Note, Solution
from whytree.voice.models import FeedbackItem
from whytree.why.daily.answer import mark_shown, todays
from whytree.why.models import Reader, Shown
from whytree.workspace.models import Activity

NOW = timezone.now()
_count = iter(range(1, 10_000))


@pytest.fixture
def repository(product: Any) -> Any:
    return Repository.objects.create(product=product, name="sprout", root_sha="0" * 40)


def commit(repository: Any, days: float, email: str = "alice@example.org", **fields: Any) -> Commit:
    """A commit some days ago, as reading a clone stores it."""
    number = next(_count)
    trailers = fields.pop("trailers", [])
    made = Commit.objects.create(
        repository=repository, sha=f"{number:040x}", author_email=email, authored_at=NOW - timedelta(days=days),
        subject=fields.pop("subject", "Change"), trailers=trailers,
        body="\n".join(f"{key}: {value}" for key, value in trailers), **fields,
    )  # fmt: skip
    for kind, key in [("node", value) for _, value in trailers]:
        made.keys.create(kind=kind, key=key)
    return made


def say(product: Any, words: str, days: float, **fields: Any) -> FeedbackItem:
    number = next(_count)
    return FeedbackItem.objects.create(
        product=product, number=number, source_type="widget", submission_id=str(number), text=words,
        said_at=NOW - timedelta(days=days), content_hash=str(number), **fields,
    )  # fmt: skip


def link(actor: Any, product: Any, node: Any, item: FeedbackItem) -> None:
    services.link_evidence(
        actor, product, node, quote=item.text, source_kind="feedback", source_id=item.ref, person_key=item.person_key,
        evidence_type="anecdotal", said_at=item.said_at,
    )  # fmt: skip


def words(user: Any, product: Any, now: datetime | None = None) -> list[str]:
    return [voice.words for voice in todays(user, product, now).voices]


WHY = [["Why", "SOL-1"]]


def test_it_hears_what_was_said_since_about_the_problems_of_ones_commits(
    alice: Any, actor: Any, product: Any, tree: Tree, repository: Any
) -> None:
    commit(repository, 10, trailers=WHY)
    commit(repository, 40, trailers=[["Why", "SOL-2"]])
    for text, days in (("before", 12), ("after", 8), ("later", 2)):
        link(actor, product, tree.opportunity, say(product, text, days, person_key=text))
    found = todays(alice, product)
    assert [(one.words, one.reason) for one in found.voices] == [
        ("later", "since you changed SOL-1"),
        ("after", "since you changed SOL-1"),
        ("before", "about OPP-1, which SOL-1 is for"),
    ]
    assert (found.commits, found.solutions) == (1, ("SOL-1",))
    assert found.sentence == "Three people speak."


def test_it_hears_those_who_had_ones_flag_and_not_those_left_as_before(
    alice: Any, actor: Any, product: Any, tree: Tree, repository: Any
) -> None:
    create_flag(actor, product, key="later", solution=tree.defer)
    commit(repository, 10, trailers=WHY)
    say(product, "had it", 3, flags={"later": "on"})
    say(product, "did not", 1, flags={"later": "off"})
    say(product, "long ago", 60, flags={"later": "on"})
    first = todays(alice, product).voices[0]
    assert (first.words, first.reason) == ("had it", "had your flag later on “on”")


def test_it_hears_the_tickets_ones_commits_name(alice: Any, product: Any, tree: Tree, repository: Any) -> None:
    mine = Ticket.objects.create(
        product=product, key="#7", tracker="t", body="It  never\nsaves", author="kim", opened_at=NOW
    )
    Ticket.objects.create(product=product, key="#7", tracker="other", body="Another's", author="kim")
    later = NOW + timedelta(seconds=1)
    for author, text, staff in (("max", "Here too", None), ("us", "Working on it", True)):
        TicketComment.objects.create(
            ticket=mine, mark=author, author=author, text=text, said_at=later, author_is_staff=staff
        )
    commit(repository, 3, tickets=[{"key": "#7", "tracker": "t"}])
    reason = "on the ticket #7, which a commit of yours names"
    assert [(one.words, one.who, one.reason) for one in todays(alice, product).voices] == [
        ("Here too", "max", reason),
        ("It never saves", "kim", reason),
    ]


def test_what_a_named_ticket_is_tied_to_is_heard(
    alice: Any, actor: Any, product: Any, tree: Tree, repository: Any
) -> None:
    """Its own words are not known; those of the problem it belongs to are."""
    services.link_ticket(actor, tree.opportunity, Ticket.objects.create(product=product, key="ABC-7"))
    commit(repository, 3, tickets=[{"key": "ABC-7", "tracker": ""}])
    (voice,) = todays(alice, product).voices
    assert voice.reason == "about OPP-1, which ticket ABC-7 is tied to"


def test_without_code_it_hears_the_newest_and_says_so(alice: Any, product: Any) -> None:
    say(product, "hello", 1)
    found = todays(alice, product)
    assert found.voices[0].reason == "new; nothing that your code touched was spoken of"
    assert "whytree init" in found.hint
    assert todays(alice, product, NOW + timedelta(days=90)).sentence == "Nobody new spoke, and nothing waits for you."


def test_other_peoples_commits_are_theirs(alice: Any, bob: Any, product: Any, tree: Tree, repository: Any) -> None:
    commit(repository, 3, email="BOB@example.org", trailers=WHY)
    commit(repository, 3, email="", author_name="Alice", trailers=WHY)
    assert todays(alice, product).solutions == ()
    assert todays(bob, product).solutions == ("SOL-1",)


def test_everybody_is_heard_once_and_nobody_against_their_will(
    alice: Any, actor: Any, product: Any, tree: Tree, repository: Any
) -> None:
    commit(repository, 10, trailers=WHY)
    for text in ("one", "two"):
        link(actor, product, tree.opportunity, say(product, text, 2, person_key="kim"))
    link(actor, product, tree.opportunity, say(product, "silent", 1, person_key="max", consent="none"))
    assert words(alice, product) == ["two", "I closed it when it wanted my number."]


def test_the_same_all_day_then_others_and_none_twice_within_a_month(alice: Any, api: Any, product: Any) -> None:
    for number in range(5):
        say(product, f"voice {number}", 1 + number)
    read = [voice["words"] for voice in api.post("/products/sprout/daily").ok["voices"]]
    assert read == ["voice 0", "voice 1", "voice 2"]
    say(product, "newer", 0)
    assert [voice["words"] for voice in api.post("/products/sprout/daily").ok["voices"]] == read
    tomorrow = NOW + timedelta(days=1)
    assert words(alice, product, tomorrow) == ["newer", "voice 3", "voice 4"]
    Shown.objects.update(at=NOW - timedelta(days=31))
    assert words(alice, product) == ["newer", "voice 0", "voice 1"]
    mark_shown(alice, product, ["FB-1"])
    assert Shown.objects.count() == 1  # older than a month is forgotten


def test_what_was_shown_and_is_forgotten_since_is_not_quoted_again(alice: Any, api: Any, product: Any) -> None:
    item = say(product, "forget me", 1)
    api.post("/products/sprout/daily")
    item.delete()
    assert api.post("/products/sprout/daily").ok["voices"] == []


def test_what_waits_is_what_stands_on_ones_own_solutions(
    alice: Any, bob: Any, actor: Any, product: Any, tree: Tree, repository: Any
) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    commit(repository, 3, trailers=WHY)
    services.add_note(actor, product, tree.defer, kind="question", text="Who books?")
    services.add_note(actor_of_user(bob), product, tree.defer, kind="challenge", text="Trials forbid it")
    services.add_note(actor, product, tree.defer, kind="challenge", text="My own")
    services.add_note(actor, product, tree.explain, kind="question", text="Elsewhere")
    hypothesis = services.create_hypothesis(
        actor, tree.defer, change="x", who="y", behaviour="z", metric_key="m", forecast_low=1.0, forecast_likely=2.0,
        forecast_high=3.0,
    )  # fmt: skip
    OutcomeReview.objects.create(product=product, number=1, hypothesis=hypothesis, due_at=NOW - timedelta(days=1))
    waiting = [(one.kind, one.ref, one.text) for one in todays(alice, product).waiting]
    assert waiting == [
        ("review", "REV-1", "What “Defer phone number” did wants your verdict."),
        ("challenge", "SOL-1", "Trials forbid it"),
        ("question", "SOL-1", "Who books?"),
    ]
    assert todays(bob, product).waiting == ()
    Solution.objects.filter(pk=tree.explain.pk).update(owner=bob)
    assert [one.text for one in todays(bob, product).waiting] == ["Elsewhere"]


def test_a_guardrail_that_broke_comes_first(alice: Any, actor: Any, product: Any, tree: Tree, repository: Any) -> None:
    from tests.why.test_improve import filled, rail

    commit(repository, 3, trailers=WHY)
    hypothesis = services.create_hypothesis(
        actor, tree.defer, change="x", who="y", behaviour="z", metric_key="m", forecast_low=1.0, forecast_likely=2.0,
        forecast_high=3.0,
    )  # fmt: skip
    OutcomeReview.objects.create(
        product=product, number=1, hypothesis=hypothesis, due_at=NOW + timedelta(days=9),
        filled=filled([rail("Spam", "harmed", 4.0)]),
    )  # fmt: skip
    (one,) = todays(alice, product).waiting
    assert (one.kind, one.text) == ("guard", "“Defer phone number” harms “Spam”.")


@pytest.mark.slow
def test_the_clone_says_whose_commits_they_are_and_mailmap_is_respected(
    cli: Any, alice: Any, clone: Clone, product: Any, tree: Tree
) -> None:
    clone.commit("Start", **{".mailmap": "Ana <ana@new.example> <ana@example.org>\n"})
    clone.commit("Defer\n\nWhy: SOL-1", **{"a.py": "a\n"})
    cli("repository", "add", str(clone.path))
    Commit.objects.update(authored_at=NOW)
    answer = json.loads(cli("daily", "--json", cwd=clone.path).output)
    assert (answer["commits"], answer["solutions"]) == (2, ["SOL-1"])
    assert Reader.objects.get().emails == ["ana@example.org", "ana@new.example"]
    cli("daily", cwd=clone.path)
    assert Activity.objects.filter(verb="remember_emails").count() == 1


@pytest.mark.slow
def test_the_screen_obeys_nothing(cli: Any, product: Any, tmp_path: Any) -> None:
    say(product, "\x1b[2J\x1b]0;owned\x07 \u202eevil", 1, author_name="\x1b[31mMallory")
    screen = cli("daily", cwd=tmp_path).output
    assert "One person speaks." in screen
    assert "evil" in screen
    assert not {"\x1b", "\x07", "\u202e"} & set(screen)


def test_today_shows_them_and_goes_on_when_they_are_read(
    as_alice: Any, alice: Any, actor: Any, product: Any, tree: Tree, repository: Any
) -> None:
    title = "Voices from people your code touched"
    assert title not in as_alice.get("/p/sprout/today").content.decode()
    commit(repository, 10, trailers=WHY)
    for number in range(4):
        link(
            actor, product, tree.opportunity, say(product, f"<b>voice</b> {number}", 1 + number, person_key=str(number))
        )
    text = as_alice.get("/p/sprout/today").content.decode()
    assert title in text
    assert "&lt;b&gt;voice&lt;/b&gt; 0" in text
    assert Shown.objects.count() == 0  # looking at a page changes nothing
    assert as_alice.post("/p/sprout/daily/others").status_code == 302
    assert words(alice, product)[0] == "<b>voice</b> 3"


def test_whoever_starts_is_waited_for(api: Any, alice: Any, product: Any) -> None:
    api.post("/products/sprout/start", {"subject": "Form"})
    assert Solution.objects.get().owner == alice
    (one,) = todays(alice, product).waiting
    assert one.text.startswith("Which problem are we solving? Whose life gets better, and how?")
    Note.objects.all().delete()
    assert todays(alice, product).waiting == ()


def test_readers_read_their_own_and_outsiders_find_nothing(
    api_viewer: Any, api_charlie: Any, as_charlie: Any, product: Any, server_key: str
) -> None:
    from django.test import Client

    assert api_viewer.post("/products/sprout/daily").status == 200
    assert api_charlie.post("/products/sprout/daily").status == 404
    assert as_charlie.post("/p/sprout/daily/others").status_code == 404
    answer = Client().post(
        "/api/products/sprout/daily", "{}", "application/json", headers={"Authorization": f"Bearer {server_key}"}
    )
    assert (answer.status_code, "personal token" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize("emails", [["x" * 300], ["a b"], ["a\0b"], [f"{n}@example.org" for n in range(6)]])
def test_strange_addresses_are_refused(api: Any, product: Any, emails: list[str]) -> None:
    answer = api.post("/products/sprout/daily", {"emails": emails})
    assert answer.status in {400, 422}
    assert Reader.objects.count() == 0
