"""The links worth asking about: which, by whom, and what an answer does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from whytree.code.models import Commit, FileBlame, Repository, Ticket
from whytree.code.services import PushedCommit, Reading, finish_sync, push_commits, register_repository
from whytree.why.first.first_look import first_look, percent
from whytree.why.first.questions import questions

ROOT = "a" * 40
CLOSES, REFERS, SILENT = "b" * 40, "c" * 40, "d" * 40


@pytest.fixture
def repository(actor: Any, product: Any) -> Repository:
    """Ten lines close #38, thirty refer to it, sixty say nothing."""
    made = register_repository(actor, product, name="app", root_sha=ROOT, tracker="github.com/acme/sprout")
    at = datetime(2026, 3, 1, tzinfo=UTC)
    subjects = {CLOSES: "Pause\n\nFixes #38", REFERS: "Faster, refs #38", SILENT: "Work"}
    commits = [
        PushedCommit(sha, at, subject=text.split("\n")[0], body=text.partition("\n\n")[2], files=["a.py"])
        for sha, text in subjects.items()
    ]
    push_commits(actor, made, ROOT, commits)
    spans = [[1, 10, CLOSES], [11, 40, REFERS], [41, 100, SILENT]]
    FileBlame.objects.create(repository=made, path="a.py", rev=SILENT, spans=spans)
    finish_sync(actor, made, ROOT, Reading(head=SILENT))
    Ticket.objects.filter(key="#38").update(
        title="Temporarily disable a <check>", body="I get paged for things I broke on purpose.", author="mara"
    )
    made.refresh_from_db()
    return made


def say(api: Any, sha: str, *, right: bool, key: str = "#38") -> Any:
    return api.post("/products/sprout/links/answer", {"sha": sha, "kind": "ticket", "key": key, "right": right})


def test_the_least_sure_of_the_most_lines_comes_first(repository: Repository) -> None:
    first, second = questions(repository)
    assert (first.sha, first.rule, first.score, first.share) == (REFERS, "ticket reference", 0.6, "30 %")
    assert (second.sha, second.rule, second.score) == (CLOSES, "closing keyword", 0.9)
    assert first.words == "I get paged for things I broke on purpose."


def test_a_ticket_nobody_knows_the_title_of_is_not_asked_about(repository: Repository) -> None:
    Ticket.objects.update(title="")
    assert questions(repository) == []


def test_an_answer_changes_the_share_and_can_be_changed(api: Any, repository: Repository) -> None:
    assert first_look(repository).sentence == "40 % of this code can already say whom it was for."
    say(api, REFERS, right=False).must_succeed()
    assert first_look(repository).sentence == "10 % of this code can already say whom it was for."
    assert say(api, REFERS, right=True).ok["answers"] == [
        {"kind": "ticket", "key": "#38", "right": True, "tracker": ""}
    ]
    look = first_look(repository)
    assert look.heard.by_rule == {"confirmed": 30, "closing keyword": 10}


def test_answers_survive_another_reading(actor: Any, api: Any, repository: Repository) -> None:
    say(api, REFERS, right=False)
    push_commits(
        actor, repository, ROOT, [PushedCommit(REFERS, datetime(2026, 3, 1, tzinfo=UTC), subject="Faster, refs #38")]
    )
    assert Commit.objects.get(sha=REFERS).answers
    assert [one.sha for one in questions(repository)] == [CLOSES]


def test_it_refuses_what_no_rule_found(api: Any, repository: Repository) -> None:
    refused = say(api, SILENT, right=True)
    assert refused.status == 400
    assert "No rule finds #38" in refused.body["message"]
    assert say(api, "e" * 40, right=True).status == 404
    assert say(api, "not-an-id", right=True).status == 400
    assert say(api, REFERS, right=True, key="#39" * 60).status == 400
    body = {"sha": REFERS, "kind": "spell", "key": "#38", "right": True}
    assert api.post("/products/sprout/links/answer", body).status == 404


def test_only_members_answer_and_outsiders_see_nothing(
    api_viewer: Any, api_charlie: Any, api_bob: Any, repository: Repository
) -> None:
    assert len(api_viewer.get("/products/sprout/links").ok) == 2
    assert say(api_viewer, REFERS, right=True).status == 403
    assert say(api_charlie, REFERS, right=True).status == 404
    assert api_charlie.get("/products/sprout/links").status == 404
    assert api_charlie.get("/products/sprout/first-look").status == 404
    assert say(api_bob, REFERS, right=True).status == 200


def test_before_any_reading_it_says_how_to_begin(api: Any, as_alice: Any) -> None:
    refused = api.get("/products/sprout/first-look")
    assert refused.status == 404
    assert "whytree init" in refused.body["message"]
    assert as_alice.get("/p/sprout/why/links").status_code == 404


def test_the_page_asks_one_after_the_other(as_alice: Any, repository: Repository) -> None:
    page = as_alice.get("/p/sprout/why/links").content.decode()
    for words in ("Is this what it was for?", "Faster, refs #38", "inferred: ticket reference (0.6)", "30 lines, 30 %"):
        assert words in page, words
    assert "disable a &lt;check&gt;" in page
    body = {"sha": REFERS, "kind": "ticket", "key": "#38", "tracker": "github.com/acme/sprout"}
    page = as_alice.post("/p/sprout/why/links", {**body, "answer": "yes"}, follow=True).content.decode()
    assert "1 answered" in page
    assert "inferred: closing keyword (0.9)" in page
    page = as_alice.post("/p/sprout/why/links", {**body, "sha": CLOSES, "answer": "skip"}, follow=True).content.decode()
    assert "1 answered. What was skipped comes back another day." in page
    assert len(questions(repository)) == 1  # skipping is no answer


def test_the_page_takes_no_answer_from_a_viewer_and_none_that_makes_no_sense(
    as_viewer: Any, as_alice: Any, repository: Repository
) -> None:
    body = {"sha": REFERS, "kind": "ticket", "key": "#38", "answer": "yes"}
    assert "A member can answer." in as_viewer.get("/p/sprout/why/links").content.decode()
    assert as_viewer.post("/p/sprout/why/links", body).status_code == 403
    page = as_alice.post("/p/sprout/why/links", {**body, "key": "#39"}, follow=True).content.decode()
    assert "No rule finds #39" in page
    assert not any(commit.answers for commit in Commit.objects.all())


def test_today_begins_with_the_sentence_and_a_real_line(as_alice: Any, repository: Repository) -> None:
    page = as_alice.get("/p/sprout/today").content.decode()
    for words in (
        "40\N{NO-BREAK SPACE}% of this code can already say whom it was for.",
        "Read from your clone: 3 commits, 1 ticket with their words.",
        "Confirm 2 links",
        "whytree why a.py:",
        "“I get paged for things I broke on purpose.”",
        "nobody has said what this should change",
        "Next, whenever you like",
    ):
        assert words in page, words


def test_today_is_its_old_self_once_an_outcome_is_stated(
    as_alice: Any, actor: Any, product: Any, repository: Repository
) -> None:
    from whytree.tree.services import create_outcome

    create_outcome(actor, product, title="People sleep at night")
    assert "can already say whom" not in as_alice.get("/p/sprout/today").content.decode()


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [(0, 9, "0 %"), (1, 900, "under 1 %"), (899, 900, "99 %"), (9, 9, "100 %"), (0, 0, "0 %")],
)
def test_a_share_is_never_nothing_or_everything_unless_it_is(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said
