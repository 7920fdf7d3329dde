"""What a review says the change cost, and who spoke for its problem since: only what is known, with where it is from."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.learning.conftest import long_ago
from whytree.code.delivery.services import IncidentFacts, add_incident
from whytree.code.models import Commit, Deployment, Repository
from whytree.flags.services import open_flag
from whytree.learning.models import OutcomeReview
from whytree.learning.reviews.cost import CostLine, cost_of
from whytree.tree.services import add_note, set_state
from whytree.voice.models import FeedbackItem
from whytree.voice.services import link_excerpt

BASE = "/products/sprout/reviews"


@pytest.fixture
def review(actor: Any, product: Any, flag: Any, store: Any) -> OutcomeReview:
    """Open since 20 days."""
    open_flag(actor, product, flag.key, at=long_ago(20))
    return OutcomeReview.objects.get()


@pytest.fixture
def clone(product: Any) -> Repository:
    return Repository.objects.create(product=product, name="sprout", root_sha="0" * 40, synced_at=timezone.now())


def commit(clone: Repository, days: float, email: str, *, why: str = "SOL-1", **fields: Any) -> Commit:
    """As reading a clone stores it, with its trailer."""
    trailers = [["Why", why], *fields.pop("trailers", [])]
    made = Commit.objects.create(
        repository=clone, sha=f"{Commit.objects.count() + 1:07x}{'0' * 33}", authored_at=long_ago(days), subject="Ask later",
        author_email=email, author_name=fields.pop("author_name", ""), trailers=trailers,
        body="\n".join(f"{key}: {value}" for key, value in trailers), **fields,
    )  # fmt: skip
    made.keys.create(kind="node", key=why)
    return made


def told(review: OutcomeReview) -> dict[str, list[CostLine]]:
    found: dict[str, list[CostLine]] = {}
    for line in cost_of(review):
        found.setdefault(line.what, []).append(line)
    return found


def values(review: OutcomeReview) -> dict[str, int | None]:
    return {what: lines[0].value for what, lines in told(review).items()}


def test_without_a_commit_it_says_so_and_invents_nothing(review: OutcomeReview) -> None:
    (line,) = cost_of(review)
    assert line.text == "No commit says that it is for SOL-1, so what the work took is not known."
    assert (line.value, line.source) == (None, "")


def test_it_counts_commits_people_and_days_and_names_nobody(review: OutcomeReview, clone: Repository) -> None:
    commit(clone, 32, "Ann@example.org", lines=40)
    commit(clone, 30, "ann@example.org", lines=2, trailers=[["Co-authored-by", "Ben <ben@example.org>"]])
    commit(clone, 29, "maintainer@example.org", parents=["a", "b"])  # merged it, wrote nothing
    commit(clone, 28, "bot@example.org", author_name="renovate[bot]")
    commit(clone, 27, "carla@example.org", why="SOL-9")  # for something else
    assert values(review) == {"commits": 4, "lines": 42, "people": 2, "to_live": 12}
    lines = told(review)
    assert lines["commits"][0].source == "stated: trailer"
    assert "0000001 " in lines["to_live"][0].source
    assert "ann" not in str(cost_of(review)).lower()


def test_a_decided_review_counts_until_its_decision(review: OutcomeReview, clone: Repository) -> None:
    commit(clone, 30, "ann@example.org", lines=4)
    commit(clone, 1, "ben@example.org")  # the flag was taken out again
    OutcomeReview.objects.update(
        decided_at=long_ago(10), verdict="achieved", decision="keep", learning="It is.", filled=None
    )
    review.refresh_from_db()
    assert values(review) == {"commits": 1, "lines": 4, "people": 1, "to_live": 10, "to_decision": 20}


def test_lines_are_not_called_gone_where_no_clone_told_of_any(review: OutcomeReview, clone: Repository) -> None:
    made = commit(clone, 30, "ann@example.org")
    assert "lines" not in values(review)
    clone.files.create(path="a.py", rev=made.sha)
    assert told(review)["lines"][0].text == "no line of theirs left"


def test_days_begin_with_building_where_commits_came_later(
    actor: Any, solution: Any, flag: Any, product: Any, clone: Repository, store: Any
) -> None:
    from whytree.workspace.models import Activity

    set_state(actor, solution, "building")
    Activity.objects.filter(verb="set_state").update(at=long_ago(25))
    open_flag(actor, product, flag.key, at=long_ago(20))
    commit(clone, 3, "ann@example.org")
    (line,) = told(OutcomeReview.objects.get())["to_live"]
    assert (line.value, line.text) == (5, "5 days from “building” to live")


def test_incidents_are_those_of_deployments_that_brought_it(
    actor: Any, product: Any, review: OutcomeReview, clone: Repository
) -> None:
    def deploy(version: str, days: float) -> Deployment:
        at = long_ago(days)
        return Deployment.objects.create(
            product=product, repository=clone, sent_id=version, version=version, started_at=at, finished_at=at,
            is_placed=True,
        )  # fmt: skip

    deploy("v1", 60), deploy("v2", 25), deploy("v3", 5)
    commit(clone, 30, "ann@example.org", deployment=Deployment.objects.get(version="v2"))
    for key, days in (("INC-1", 40), ("INC-2", 24), ("INC-3", 4)):
        add_incident(actor, product, IncidentFacts(key, "Sign-up fails", long_ago(days)))
    (line,) = told(review)["incident"]
    assert line.text == "INC-2 Sign-up fails (open)"
    assert line.source == "inferred: the latest before it, v2 brought its commits"
    # where knowledge begins, a deployment holds everything that was before it
    Commit.objects.update(deployment=Deployment.objects.get(version="v1"))
    assert "incident" not in told(review)


def test_constraints_say_what_it_costs_in_their_own_words(
    actor: Any, product: Any, api: Any, as_alice: Any, invoke: Callable[..., str], review: OutcomeReview
) -> None:
    solution = review.hypothesis.solution
    add_note(
        actor,
        product,
        solution,
        kind="constraint",
        text="Codes go by SMS.",
        cost="6 cents <b>each</b>",
        alternative="Mail",
    )
    add_note(actor, product, solution, kind="constraint", text="Nothing is said of cost here.")
    shown = api.get(f"{BASE}/REV-1").ok["cost"]
    (said,) = [line for line in shown if line["what"] == "said"]
    assert (said["text"], said["url"]) == ("6 cents <b>each</b>", "/p/sprout/SOL-1")
    assert said["source"].startswith("Alice, ")
    assert said["source"].endswith(": Codes go by SMS.")
    page = as_alice.get("/p/sprout/REV-1").content.decode()
    assert "What it cost, as far as is known" in page
    assert "6 cents &lt;b&gt;each&lt;/b&gt;" in page
    assert "No commit says that it is for SOL-1" in page
    assert "cost       6 cents <b>each</b> (Alice, " in invoke("review", "show", "REV-1")


def test_voices_of_the_problem_since_are_counted_by_arm_and_the_latest_quoted(
    actor: Any, product: Any, api: Any, as_alice: Any, invoke: Callable[..., str], review: OutcomeReview
) -> None:
    assert api.get(f"{BASE}/REV-1").ok["tagged"]["sentence"] == "Nobody has spoken for OPP-1 since it opened."
    opportunity = review.hypothesis.solution.opportunity

    def says(words: str, days: float, person: str = "", arm: str = "", **fields: Any) -> None:
        number = FeedbackItem.objects.count() + 1
        item = FeedbackItem.objects.create(
            product=product, number=number, source_type="widget", submission_id=str(number), text=words,
            said_at=timezone.now() - timedelta(days=days), content_hash=str(number), person_key=person,
            flags={"ask_later": arm} if arm else {}, **fields,
        )  # fmt: skip
        link_excerpt(actor, item, opportunity)

    says("Before it opened.", 30, "p0", "off")
    says("Once.", 9, "p1", "off")
    says("And again, with the change.", 8, "p1", "on")
    says("Still too much.", 7, "p2", "off")
    says("Who are you?", 6)
    says("Not to be quoted.", 5, "p3", "on", consent="none")
    says("Of an old file.", 1, "p4", "on", said_at_known=False)
    says("Oldest of four.", 10, "p5", "on")
    tagged = api.get(f"{BASE}/REV-1").ok["tagged"]
    assert (tagged["opportunity"], tagged["people"]) == ("OPP-1", 5)
    assert list(tagged["by_arm"].items()) == [("on", 3), ("off", 1), ("not known", 1)]
    quoted = [(one["text"], one["arm"]) for one in tagged["quotes"]]
    assert quoted == [
        ("Who are you?", "not known"),
        ("Still too much.", "off"),
        ("And again, with the change.", "on"),
    ]
    page = as_alice.get("/p/sprout/REV-1").content.decode()
    assert "5 people have spoken for OPP-1 since it opened: 3 in “on”, 1 in “off”, 1 whose arm is not known." in page
    assert "Not to be quoted." not in page
    printed = invoke("review", "show", "REV-1")
    assert "“Still too much.” FB-4" in printed
