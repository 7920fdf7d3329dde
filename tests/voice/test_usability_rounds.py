"""Rounds after Krug: watched, counted by people, the worst first, the smallest fix a solution, and looked at again."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.utils import timezone

from whytree.errors import Conflict, Invalid
from whytree.tree.lights import people_light
from whytree.tree.models import Solution
from whytree.tree.queries import confidence, evidence_of
from whytree.tree.services import create_solution
from whytree.voice.interviews.erasing import erase_interviews, export_watched
from whytree.voice.interviews.services import add_interview, remove_interview
from whytree.voice.models import ProblemSighting, UsabilityProblem, UsabilityRound, UsabilitySession
from whytree.voice.rounds import queries, services, showing

from .conftest import Done


@pytest.fixture
def found(actor: Any, product: Any, opportunity: Any) -> UsabilityRound:
    solution = create_solution(actor, product, title="Ask for the phone later", opportunity=opportunity)
    return services.plan_round(
        actor, product, title="Sign-up", tasks=["Book a bed", "", "Change the day"], solution=solution
    )


@pytest.fixture
def bobs(bob: Any) -> Any:
    from whytree.workspace.entry.keys import actor_of_user

    return actor_of_user(bob)


def test_problems_are_counted_by_people_and_come_the_worst_first(actor: Any, bobs: Any, found: UsabilityRound) -> None:
    one, two, three = (services.add_session(actor, found) for _ in range(3))
    phone = services.see_problem(actor, one, title="Would not give a phone number", severity=4, task=1)
    services.see_problem(bobs, one, problem=phone, note="walked away")  # two observers, one person
    services.see_problem(actor, two, title="would not give a PHONE number", severity=4)
    for session in (one, two, three):
        services.see_problem(actor, session, title="Looked for the price on the map", severity=2)
        services.note_outcome(actor, session, 1, "did" if session is three else "failed")
    services.note_outcome(actor, three, 1, "helped")  # said last
    told = queries.findings(found)
    assert [(one.problem.title, one.k, one.n) for one in told.problems] == [
        ("Would not give a phone number", 2, 3),
        ("Looked for the price on the map", 3, 3),
    ]
    share: Any = told.problems[1].share
    assert (round(share.low, 2), share.high) == (0.29, 1.0)  # 3 of 3 is 29 to 100 %
    assert told.problems[0].notes == ("Person 1: walked away",)
    assert [(one.did, one.helped, one.failed) for one in told.tasks] == [(0, 1, 2), (0, 0, 0)]


def test_the_smallest_fix_becomes_a_solution_once_and_the_retest_stands_beside(
    actor: Any, found: UsabilityRound, opportunity: Any
) -> None:
    session = services.add_session(actor, found)
    services.note_outcome(actor, session, 1, "failed")
    problem = services.see_problem(actor, session, title="Missed the button", severity=3)
    made = services.fix_problem(actor, problem, "Say what the button does")
    assert (made.title, made.opportunity) == ("Say what the button does", opportunity)
    (why,) = evidence_of(made)
    assert (why.stance, why.statement.splitlines()[0]) == ("supports", "1 of 1 who were watched: Missed the button")
    with pytest.raises(Conflict, match=made.ref):
        services.fix_problem(actor, problem, "Again")
    again = services.plan_retest(actor, found, date(2026, 5, 4))
    assert services.plan_retest(actor, found, date(2026, 5, 4)) == again
    assert (again.title, again.tasks, again.retest_of) == ("Sign-up, again", found.tasks, found)
    person = services.add_session(actor, again)
    services.note_outcome(actor, person, 1, "did")
    services.see_problem(actor, person, title="missed the button", severity=1)
    told = queries.findings(again)
    assert (told.tasks[0].before, told.problems[0].before) == ("0 of 1", "1 of 1")


def test_a_finding_is_evidence_of_a_node_and_follows_the_round(
    actor: Any, found: UsabilityRound, opportunity: Any, as_alice: Any
) -> None:
    one = services.add_session(actor, found)
    problem = services.see_problem(actor, one, title="Missed <the> button", severity=3)
    showing.show_problem(actor, problem, opportunity)
    showing.show_problem(actor, problem, opportunity)  # once
    showing.show_problem(actor, problem, found.solution)
    (link,) = evidence_of(opportunity)
    assert (link.stance, link.evidence_type, link.source_id) == ("supports", "test_results", "USR-1#problem-1")
    assert [one.stance for one in evidence_of(found.solution)] == ["contradicts"]
    for _ in range(4):
        services.add_session(actor, found)
    services.see_problem(actor, queries.find_session(found, 2), problem=problem)
    link.refresh_from_db()
    assert link.statement.startswith("2 of 5 who were watched: Missed <the> button\nSeverity 3, major")
    assert "5 to 85 %, exact 95 % interval" in link.statement  # Clopper and Pearson for 2 of 5
    page = as_alice.get(f"/p/sprout/{opportunity.ref}").content.decode()
    assert 'href="/p/sprout/USR-1#problem-1"' in page
    assert "2 of 5 who were watched: Missed &lt;the&gt; button" in page
    assert "Evidence of" in as_alice.get("/p/sprout/USR-1").content.decode()
    for number in (1, 2):
        services.unsee_problem(actor, queries.find_session(found, number), problem)
    assert not evidence_of(opportunity).exists()


def test_two_problems_of_one_round_are_one_body_of_data(actor: Any, found: UsabilityRound, opportunity: Any) -> None:
    session = services.add_session(actor, found)
    for title in ("Missed the button", "Took the headline for an advertisement"):
        showing.show_problem(actor, services.see_problem(actor, session, title=title, severity=3), opportunity)
    told = confidence(opportunity)
    (row,) = told.breakdown
    assert (row.evidence_type, row.people) == ("test_results", 1), "the same people showed both"
    assert people_light(list(evidence_of(opportunity)), told, timezone.now()).text.startswith(
        "0 heard, 1 test or measurement."
    )


def test_what_makes_no_sense_is_refused(actor: Any, product: Any, found: UsabilityRound) -> None:
    session = services.add_session(actor, found)
    for wrong in (
        lambda: services.plan_round(actor, product, title=" ", tasks=["x"]),
        lambda: services.plan_round(actor, product, title="x", tasks=["", " "]),
        lambda: services.plan_round(actor, product, title="x", tasks=["y"] * 13),
        lambda: services.note_outcome(actor, session, 3, "did"),
        lambda: services.note_outcome(actor, session, 1, "well"),
        lambda: services.add_session(actor, found, person="x" * 201),
        lambda: services.see_problem(actor, session, title="x", severity=5),
        lambda: services.see_problem(actor, session, title="x", severity=2, task=9),
        lambda: services.see_problem(actor, session, title="x" * 141, severity=2),
        lambda: services.see_problem(actor, session, title="x", severity=2, note="n" * 2_001),
    ):
        with pytest.raises(Invalid):
            wrong()
    assert not UsabilityProblem.objects.exists()
    with pytest.raises(Conflict, match="another round"):
        services.edit_round(actor, found, title="Sign-up", tasks=["Something else"], script="")


def test_ones_own_sighting_is_taken_back_and_a_problem_nobody_saw_is_none(
    actor: Any, bobs: Any, found: UsabilityRound
) -> None:
    session = services.add_session(actor, found)
    problem = services.see_problem(actor, session, title="Missed it", severity=2)
    services.see_problem(bobs, session, problem=problem)
    services.unsee_problem(actor, session, problem)
    assert queries.findings(found).problems[0].k == 1
    services.unsee_problem(bobs, session, problem)
    assert not queries.findings(found).problems


def test_what_was_noted_of_somebody_is_forgotten_with_them(actor: Any, product: Any, found: UsabilityRound) -> None:
    talk, gone = (add_interview(actor, product, person="mira", participant="Mira") for _ in range(2))
    sessions = [
        services.add_session(actor, found, talk),
        services.add_session(actor, found, person=" mira "),
        services.add_session(actor, found, gone),
        services.add_session(actor, found, person="jo"),
    ]
    for session in sessions:
        services.see_problem(actor, session, title="Missed it", severity=2, note="said her ex has that number")
    remove_interview(actor, gone)
    assert len(export_watched(product, "mira")) == 3
    erase_interviews(product, "mira")
    assert [bool(one.note) for one in ProblemSighting.objects.order_by("pk")] == [False, False, False, True]
    assert not UsabilitySession.objects.filter(person_key="mira").exists()
    assert queries.findings(found).problems[0].k == 4


def test_pages_api_and_commands(
    as_alice: Any,
    as_viewer: Any,
    as_charlie: Any,
    api: Any,
    api_viewer: Any,
    found: UsabilityRound,
    cli: Callable[..., Done],
) -> None:
    ref = found.ref
    as_alice.post(f"/p/sprout/{ref}/act", {"do": "person"})
    sheet = f"/p/sprout/{ref}/watch/1"
    assert "Book a bed" in as_alice.get(sheet).content.decode()
    as_alice.post(sheet, {"task": "1", "outcome": "failed"})
    as_alice.post(sheet, {"title": "<b>Missed</b> it", "severity": "4", "task": "1", "note": "twice"})
    assert as_alice.post(sheet, {"title": "Other", "severity": ""}).status_code == 400
    page = as_alice.get(f"/p/sprout/{ref}").content.decode()
    assert "1 of 1: &lt;b&gt;Missed&lt;/b&gt; it" in page
    assert "3 to 100 %" in page
    as_alice.post(f"/p/sprout/{ref}/act", {"do": "fix", "problem": "1", "fix": "Make it larger"})
    assert Solution.objects.filter(title="Make it larger").exists()
    assert as_alice.post(f"/p/sprout/{ref}/act", {"do": "retest", "planned_for": "2026-05-04"}).status_code == 302
    assert as_alice.post("/p/sprout/usability/new", {"title": "x", "tasks": ""}).status_code == 400
    assert (
        as_alice.post("/p/sprout/usability/new", {"title": "x", "tasks": "Find it", "solution": "SOL-99"}).status_code
        == 404
    )
    assert as_viewer.get(f"/p/sprout/{ref}").status_code == 200
    assert as_viewer.get(sheet).status_code == 403
    assert as_charlie.get(f"/p/sprout/{ref}").status_code == 404
    assert api_viewer.post(f"/products/sprout/usability/{ref}/people").status == 403
    assert api.get("/products/sprout/usability/USR-99").status == 404
    assert api.post(f"/products/sprout/usability/{ref}/people/9/problems", {"title": "x", "severity": 1}).status == 404
    planned = cli("usability", "plan", "Search", "--task", "Find a rose", "--json").json["ref"]
    cli("usability", "person", planned)
    cli("usability", "task", planned, "1", "1", "did")
    assert "1 of 1 (3 to 100 %)" in cli("usability", "problem", planned, "1", "Saw no results", "--severity", "3").out
    assert (
        as_alice.post(f"/p/sprout/{ref}/act", {"do": "evidence", "problem": "1", "node": "OPP-99"}).status_code == 302
    )
    assert "supports OPP-1: 1 of 1" in cli("usability", "evidence", planned, "1", "OPP-1").out
    assert api_viewer.post(f"/products/sprout/usability/{ref}/problems/1/evidence", {"node": "OPP-1"}).status == 403
    assert "is to fix it" in cli("usability", "fix", planned, "1", "Say that there are none").out
    assert "2026-06-01" in cli("usability", "retest", planned, "2026-06-01").out
    assert planned in cli("usability", "list").out
