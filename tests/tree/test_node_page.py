"""A node's page and the forms that change it."""

from typing import Any

import pytest
from django.utils import timezone

from whytree.tree import services
from whytree.tree.models import EvidenceLink, Hypothesis, Note, Opportunity, Outcome, Solution
from whytree.workspace.sockets import Panel, _panels, plug_panel

from .conftest import Garden
from .test_tree_page import HOSTILE, Balance, text

FORECAST = {
    "forecast_low": "1",
    "forecast_likely": "4",
    "forecast_high": "7",
    "forecast_unit": "pp",
    "horizon_days": "28",
}


@pytest.mark.parametrize("ref", ["OUT-1", "OPP-1", "SOL-1", "sol-1"])
def test_each_of_the_three_has_a_page(as_alice: Any, garden: Garden, ref: str) -> None:
    page = text(as_alice, f"/p/sprout/{ref}")
    assert "Evidence" in page
    assert "What happened" in page
    Balance().feed(page)


@pytest.mark.parametrize("ref", ["HYP-1", "ASM-1", "TST-1"])
def test_what_hangs_on_a_solution_is_shown_on_its_page(as_alice: Any, garden: Garden, ref: str) -> None:
    response = as_alice.get(f"/p/sprout/{ref}")
    assert (response.status_code, response.url) == (302, f"/p/sprout/SOL-1#{ref}")
    assert f'id="{ref}"' in text(as_alice, "/p/sprout/SOL-1")


def test_a_missing_node_and_a_stranger_get_the_same_answer(as_alice: Any, as_charlie: Any, garden: Garden) -> None:
    assert as_alice.get("/p/sprout/SOL-99").status_code == 404
    assert as_charlie.get("/p/sprout/SOL-1").status_code == 404


def test_the_three_lights_are_derived(as_alice: Any, garden: Garden, actor: Any, product: Any) -> None:
    page = text(as_alice, "/p/sprout/SOL-1")
    assert "Nobody outside the team has asked for this" in page
    assert "Predicted +1 to +7 pp on activated_7d; open until people see it." in page
    assert "Nothing noted: no constraint" in page
    for person in ("ana", "ben"):
        services.link_evidence(
            actor,
            product,
            garden.opportunity,
            evidence_type="user_evidence",
            source_kind="interview",
            quote=f"{person} left",
            person_key=person,
        )
    services.lock_prediction(actor, garden.hypothesis, at=timezone.now())
    services.add_note(actor, product, garden.solution, kind="constraint", text="Each text message costs 6 cents")
    page = text(as_alice, "/p/sprout/SOL-1")
    assert "2 heard. Newest voice of today." in page
    assert "on activated_7d, locked. Too early to say." in page
    assert "Constraint: Each text message costs 6 cents" in page
    assert "ana left" in page, "who asked stands beside the work"
    services.add_note(actor, product, garden.solution, kind="challenge", text="Trials may not store numbers")
    assert "1 challenge unanswered" in text(as_alice, "/p/sprout/SOL-1")


def test_others_put_panels_on_it(as_alice: Any, garden: Garden) -> None:
    def panel(actor: Any, product: Any, subject: Any) -> Panel:
        context = {"links": [], "node": subject, "evidence": []}
        return Panel("Rollout", "tree/_children.html", context, tone="amber", headline="Day 9 of 21, too early to say.")

    plug_panel("solution", panel)
    try:
        page = text(as_alice, "/p/sprout/SOL-1")
    finally:
        _panels["solution"] = [entry for entry in _panels["solution"] if entry[1] is not panel]
    assert "<h2>Rollout</h2>" in page
    assert "Day 9 of 21, too early to say." in page


def test_confidence_shows_how_it_comes_about(as_alice: Any, garden: Garden, actor: Any, product: Any) -> None:
    services.link_evidence(
        actor,
        product,
        garden.opportunity,
        evidence_type="anecdotal",
        source_kind="note",
        statement="x",
        person_key="ana",
    )
    page = text(as_alice, "/p/sprout/OPP-1")
    assert "single voices" in page
    assert "weight 1, half-life 1 y" in page
    assert "What would raise it most: Interview or observe one more person" in page


@pytest.mark.parametrize("ref", ["OUT-1", "OPP-1", "SOL-1"])
def test_hostile_text_stays_text_everywhere(as_alice: Any, garden: Garden, actor: Any, product: Any, ref: str) -> None:
    long = "<b>" + "y" * 3_000
    for node in (garden.outcome, garden.opportunity, garden.solution):
        for words in (*HOSTILE, long):
            services.add_note(actor, product, node, kind="constraint", text=words, cost=words, alternative=words)
            services.link_evidence(
                actor,
                product,
                node,
                evidence_type="anecdotal",
                source_kind="url",
                source_id=f"javascript:alert(1)//{words[:50]}",
                quote=words,
                statement=words,
                person_key=words[:200],
            )
    services.edit_solution(actor, garden.solution, title=HOSTILE[1], description=long)
    services.edit_hypothesis(actor, garden.hypothesis, who=HOSTILE[0], behaviour=long)
    page = text(as_alice, f"/p/sprout/{ref}")
    assert "<script>alert" not in page
    assert "<b>yyy" not in page
    assert 'href="javascript:' not in page
    assert 'onmouseover="alert' not in page
    Balance().feed(page)


def test_much_evidence_is_shown_in_part_with_a_way_to_all(
    as_alice: Any, garden: Garden, actor: Any, product: Any
) -> None:
    for at in range(35):
        services.link_evidence(
            actor, product, garden.opportunity, evidence_type="anecdotal", source_kind="note", statement=f"piece {at}"
        )
    page = text(as_alice, "/p/sprout/OPP-1")
    assert "Show all 35" in page
    assert "Show all 35" not in text(as_alice, "/p/sprout/OPP-1?all=evidence")


def test_a_viewer_reads_and_finds_no_button(as_viewer: Any, garden: Garden) -> None:
    for ref in ("OUT-1", "OPP-1", "SOL-1"):
        page = text(as_viewer, f"/p/sprout/{ref}")
        assert 'method="post" action="/p/sprout' not in page
    for path in ("edit", "add", "move", "close", "notes", "evidence"):
        assert as_viewer.post(f"/p/sprout/SOL-1/{path}", {}).status_code == 403, path


# What the forms do, without any script


def test_nodes_are_added_below_each_other_by_form(as_alice: Any, garden: Garden) -> None:
    def add(below: str, prefix: str, **fields: str) -> Any:
        return as_alice.post(f"/p/sprout/{below}/add", {"add": prefix, **fields})

    assert add("OUT-1", "OPP", title="I wanted to look first", kind="need", signal_event="rage_tap").status_code == 302
    assert Opportunity.objects.get(number=2).struggle_signal == {"version": 1, "kind": "unique", "event": "rage_tap"}
    assert add("OPP-2", "SOL", title="Browse as a guest").url == "/p/sprout/SOL-2"
    guards = "spam_accounts:up=0.5\nsupport_contacts up 2"
    made = add("SOL-2", "HYP", change="guest mode", metric_key="activated_7d", guardrails=guards, **FORECAST)
    assert made.url == "/p/sprout/SOL-2#HYP-2"
    assert [guard["margin"] for guard in Hypothesis.objects.get(number=2).guardrails] == [0.5, 2.0]
    add("SOL-2", "ASM", title="Guests come back", assumption_type="desirability", importance="5")
    assert add("ASM-2", "TST", title="Ask five", method="fake_door").url == "/p/sprout/SOL-2#TST-2"
    assert add("OUT-1", "OUT", title="A narrower one", outcome_type="product_outcome").status_code == 302
    assert Outcome.objects.get(number=2).parent == garden.outcome


def test_a_form_that_is_refused_comes_back_with_what_was_typed(as_alice: Any, garden: Garden) -> None:
    fields = {
        "add": "HYP",
        "change": "guest mode",
        "metric_key": "m",
        **FORECAST,
        "forecast_low": "9",
        "guardrails": "oops",
    }
    response = as_alice.post("/p/sprout/SOL-1/add", fields)
    page = response.content.decode()
    assert response.status_code == 400
    assert "guest mode" in page
    assert "write it as: support_contacts up 0.5" in page
    response = as_alice.post("/p/sprout/SOL-1/add", {**fields, "guardrails": ""})
    assert "A forecast rises: low &lt; most likely &lt; high." in response.content.decode()
    assert Hypothesis.objects.count() == 1


def test_kinds_that_do_not_stand_there_cannot_be_added(as_alice: Any, garden: Garden) -> None:
    assert as_alice.get("/p/sprout/OUT-1/add?kind=SOL").status_code == 404
    assert as_alice.get("/p/sprout/TST-1/add").status_code == 404
    assert as_alice.get("/p/sprout/OPP-1/add?kind=OPP").status_code == 200


def test_editing_keeps_what_the_form_does_not_show(as_alice: Any, garden: Garden, actor: Any) -> None:
    signal = {"version": 1, "kind": "conversion", "from": "a", "to": "b"}
    services.edit_opportunity(actor, garden.opportunity, struggle_signal=signal)
    assert "phone number" in text(as_alice, "/p/sprout/OPP-1/edit")
    changed = as_alice.post("/p/sprout/OPP-1/edit", {"title": "They ask too much", "kind": "need", "from": "drawn"})
    assert changed.url == "/p/sprout/tree?view=drawn#OPP-1"
    garden.opportunity.refresh_from_db()
    assert (garden.opportunity.title, garden.opportunity.struggle_signal) == ("They ask too much", signal)


def test_moving_and_closing_by_form(as_alice: Any, garden: Garden, actor: Any, product: Any) -> None:
    other = services.create_opportunity(actor, product, title="Another problem")
    assert "OPP-2 Another problem" in text(as_alice, "/p/sprout/SOL-1/move")
    assert as_alice.post("/p/sprout/SOL-1/move", {"parent": "OPP-2"}).status_code == 302
    assert Solution.objects.get().opportunity == other
    circle = as_alice.post("/p/sprout/OPP-2/move", {"parent": "OPP-2"})
    assert circle.status_code == 400
    refused = as_alice.post("/p/sprout/OPP-2/close", {"reason": "gone"})
    assert refused.status_code == 400
    assert "still is open: SOL-1" in refused.content.decode()
    assert as_alice.post("/p/sprout/OPP-2/close", {"reason": "gone", "with_children": "on"}).status_code == 302
    assert "Dropped" in text(as_alice, "/p/sprout/SOL-1")
    assert as_alice.post("/p/sprout/OPP-2/reopen", {}).status_code == 302


def test_notes_evidence_tickets_state_and_focus_by_form(as_alice: Any, garden: Garden) -> None:
    def post(path: str, **fields: str) -> Any:
        return as_alice.post(f"/p/sprout/{path}", fields)

    assert post("SOL-1/notes", kind="question", text="Who asks?").url == "/p/sprout/SOL-1#notes"
    note = Note.objects.get()
    assert post(f"notes/{note.pk}/answer", answer="Sales").url == "/p/sprout/SOL-1#notes"
    piece = {"evidence_type": "anecdotal", "stance": "supports", "importance": "3", "url": "https://example.org/1"}
    assert post("OPP-1/evidence", quote="why?", said_at="2026-03-02", **piece).url == "/p/sprout/OPP-1#evidence"
    link = EvidenceLink.objects.get()
    assert (link.source_url, link.importance, link.said_at.date().isoformat()) == (
        "https://example.org/1",
        3,
        "2026-03-02",
    )
    assert 'href="https://example.org/1"' in text(as_alice, "/p/sprout/OPP-1")
    assert post(f"evidence/{link.pk}/remove").status_code == 302
    assert post("SOL-1/tickets", ticket="#412").url == "/p/sprout/SOL-1#tickets"
    refused = post("SOL-1/tickets", ticket="what?")
    assert (refused.status_code, "is no ticket" in refused.content.decode()) == (400, True)
    assert post("SOL-1/state", state="building").status_code == 302
    assert post("SOL-1/state", state="kept").status_code == 409
    assert post("OPP-1/focus", in_focus="1").status_code == 302
    assert Opportunity.objects.get().in_focus
    assert post("TST-1/start").url == "/p/sprout/SOL-1#TST-1"
    assert post("TST-1/conclude", verdict="validated", result="4 of 5").status_code == 302
    assert "4 of 5" in text(as_alice, "/p/sprout/SOL-1")


def test_a_note_that_is_refused_keeps_its_words(as_alice: Any, garden: Garden) -> None:
    response = as_alice.post("/p/sprout/SOL-1/notes", {"kind": "comment", "text": "my long thought", "cost": "much"})
    page = response.content.decode()
    assert response.status_code == 400
    assert "Cost and alternative belong to a constraint." in page
    assert "my long thought" in page


def test_nothing_changes_without_the_csrf_token(alice: Any, garden: Garden) -> None:
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post("/p/sprout/SOL-1/notes", {"text": "x"}).status_code == 403
    assert not Note.objects.exists()


def test_a_node_page_costs_a_bounded_number_of_queries(
    as_alice: Any, garden: Garden, actor: Any, product: Any, django_assert_max_num_queries: Any
) -> None:
    for at in range(20):
        services.add_assumption(actor, garden.solution, title=f"belief {at}")
        services.add_note(actor, product, garden.solution, kind="comment", text=f"note {at}")
    with django_assert_max_num_queries(70):
        text(as_alice, "/p/sprout/SOL-1")
