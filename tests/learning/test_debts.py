"""Corners that were cut: they fall due when the change is kept, and are void when it goes."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.learning.test_calibration import settle
from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.learning.debts.queries import due_debts, list_debts
from whytree.learning.debts.services import add_debt, drop_debt, pay_debt
from whytree.learning.models import Debt
from whytree.learning.services import decide_review
from whytree.tree.services import close_node, reopen_node, set_state
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.records.activity import activity_for
from whytree.workspace.sockets import search

PATH = "/products/sprout/debts"


def decide(actor: Any, solution: Any, decision: str, **more: str) -> Any:
    review = settle(actor, solution, 4)
    review.due_at = timezone.now()
    review.save()
    return decide_review(actor, review, verdict="achieved", decision=decision, learning="It helps.", **more)


def test_it_falls_due_when_the_review_says_keep(actor: Any, product: Any, solution: Any) -> None:
    debt = add_debt(actor, solution, text="  no   retry ")
    assert (debt.ref, debt.text, debt.state, debt.says) == ("DEBT-1", "no retry", "waiting", "Falls due if it is kept.")
    decide(actor, solution, "keep")
    (due,) = due_debts(product)
    assert (due.state, due.says) == ("due", "SOL-1 was kept by REV-1.")
    assert activity_for(due).first().verb == "debt_fell_due"  # type: ignore[union-attr]


@pytest.mark.parametrize(("decision", "word"), [("roll_back", "rolled back"), ("remove", "rolled back")])
def test_it_is_void_when_the_change_goes(actor: Any, product: Any, solution: Any, decision: str, word: str) -> None:
    add_debt(actor, solution, text="no retry")
    decide(actor, solution, decision)
    (debt,) = list_debts(product)
    assert (debt.state, debt.says) == ("void", f"SOL-1 was {word} by REV-1.")
    assert debt.closed_at is not None
    assert not due_debts(product).exists()


def test_another_round_leaves_it_waiting(actor: Any, product: Any, solution: Any) -> None:
    add_debt(actor, solution, text="no retry")
    decide(actor, solution, "iterate")
    assert [debt.state for debt in list_debts(product)] == ["waiting"]


def test_what_is_taken_back_after_it_was_kept_need_not_be_paid(actor: Any, product: Any, solution: Any) -> None:
    add_debt(actor, solution, text="no retry")
    decide(actor, solution, "keep")
    set_state(actor, solution, "rolled_back")
    (debt,) = list_debts(product)
    assert (debt.state, debt.says) == ("void", "SOL-1 was rolled back.")


def test_a_solution_that_is_dropped_without_a_review_owes_nothing(actor: Any, product: Any, solution: Any) -> None:
    add_debt(actor, solution, text="no retry")
    close_node(actor, solution, reason="Nobody needs it.")
    assert [debt.says for debt in list_debts(product)] == ["SOL-1 was dropped."]
    solution.refresh_from_db()
    with pytest.raises(Conflict, match="nothing to pay"):
        add_debt(actor, solution, text="no retry")
    assert add_debt(actor, reopen_node(actor, solution), text="no retry").state == "waiting"


def test_what_is_noted_on_a_kept_solution_is_due_at_once(actor: Any, solution: Any) -> None:
    decide(actor, solution, "keep")
    assert add_debt(actor, solution, text="one language only").state == "due"


def test_the_review_asks_which_corners_were_cut_and_they_fall_due(actor: Any, product: Any, solution: Any) -> None:
    add_debt(actor, solution, text="No retry")
    review = decide(
        actor, solution, "keep", corners="no retry\n\n only German \nonly German", loved="They wrote to us."
    )
    assert (review.loved, review.corners) == ("They wrote to us.", "no retry\n\n only German \nonly German")
    assert [(debt.text, debt.state) for debt in list_debts(product)] == [("No retry", "due"), ("only German", "due")]


def test_corners_of_what_goes_are_only_written_down(actor: Any, solution: Any) -> None:
    review = decide(actor, solution, "roll_back", corners="only German")
    assert review.corners == "only German"
    assert not Debt.objects.exists()


def test_more_corners_than_anybody_mends_are_refused_whole(actor: Any, solution: Any) -> None:
    review = settle(actor, solution, 4)
    review.due_at = timezone.now()
    review.save()
    with pytest.raises(Invalid, match="up to 20 corners"):
        decide_review(
            actor,
            review,
            verdict="achieved",
            decision="keep",
            learning="x",
            corners="\n".join(f"corner {number}" for number in range(21)),
        )
    review.refresh_from_db()
    assert not review.is_decided
    assert not Debt.objects.exists()


def test_it_is_paid_once_or_dropped_with_a_reason(actor: Any, solution: Any) -> None:
    debt = add_debt(actor, solution, text="no retry")
    paid = pay_debt(actor, debt)
    assert (paid.state, paid.says) == ("paid", "Paid.")
    for again in (lambda: pay_debt(actor, debt), lambda: drop_debt(actor, debt, reason="x")):
        with pytest.raises(Conflict, match="closed on"):
            again()
    other = add_debt(actor, solution, text="one language")
    with pytest.raises(Invalid, match="Say why"):
        drop_debt(actor, other, reason=" ")
    assert drop_debt(actor, other, reason="Nobody asked.").says == "Nobody asked."
    decide(actor, solution, "keep")
    assert {debt.state for debt in Debt.objects.all()} == {"paid", "void"}, "closed ones stay as they are"


@pytest.mark.parametrize("text", ["", "   ", "x" * 501, "a\x00b"])
def test_a_corner_without_words_is_refused(actor: Any, solution: Any, text: str) -> None:
    with pytest.raises(Invalid, match="Say which corner"):
        add_debt(actor, solution, text=text)


def test_who_may(viewer: Any, charlie: Any, actor: Any, solution: Any) -> None:
    debt = add_debt(actor, solution, text="no retry")
    with pytest.raises(Forbidden):
        add_debt(actor_of_user(viewer), solution, text="x")
    with pytest.raises(Forbidden):
        pay_debt(actor_of_user(viewer), debt)
    with pytest.raises(NotFound):
        add_debt(actor_of_user(charlie), solution, text="x")
    with pytest.raises(Invalid, match="keep"):
        add_debt(actor, solution, text="x", pay_if="whenever")


def test_the_api_adds_lists_and_closes(api: Any, api_viewer: Any, api_charlie: Any, solution: Any) -> None:
    made = api.post(PATH, {"solution": "SOL-1", "text": "no retry"})
    assert (made.status, made.body["ref"], made.body["created_by"]) == (201, "DEBT-1", "Alice")
    assert api.get(f"{PATH}?state=due").ok == []
    assert len(api_viewer.get(f"{PATH}?state=waiting").ok) == 1
    assert api_viewer.post(PATH, {"solution": "SOL-1", "text": "x"}).status == 403
    assert api_charlie.get(PATH).status == 404
    assert api.get(f"{PATH}?state=new").status == 400
    assert api.post(PATH, {"solution": "OPP-1", "text": "x"}).status == 404
    assert api.post(f"{PATH}/DEBT-9/pay").status == 404
    assert api.post(f"{PATH}/DEBT-1/drop", {"reason": ""}).status == 400
    assert api.post(f"{PATH}/debt-1/pay", {"note": "Retries thrice."}).ok["says"] == "Retries thrice."


def test_pages_show_what_is_owed(actor: Any, as_alice: Any, as_viewer: Any, as_charlie: Any, solution: Any) -> None:
    assert "Which corners did we cut?" in as_alice.get("/p/sprout/debts").content.decode()
    noted = as_alice.post("/p/sprout/debts/add", {"solution": "SOL-1", "text": "no <b>retry</b>"})
    assert noted.headers["Location"] == "/p/sprout/SOL-1#debts"
    assert "no &lt;b&gt;retry" in as_alice.get("/p/sprout/SOL-1").content.decode()
    assert "fell due" not in as_alice.get("/p/sprout/today").content.decode()
    decide(actor, solution, "keep")
    today = as_alice.get("/p/sprout/today").content.decode()
    assert "One debt fell due." in today
    assert "SOL-1 was kept by REV-1." in today
    assert "To be mended" in as_alice.get("/p/sprout/REV-1").content.decode()
    assert 'value="pay"' in as_alice.get("/p/sprout/debts").content.decode()
    for path in ("SOL-1", "debts"):
        assert 'value="pay"' not in as_viewer.get(f"/p/sprout/{path}").content.decode()
    assert as_viewer.post("/p/sprout/debts/1/close", {"how": "pay"}).status_code == 403
    assert as_charlie.get("/p/sprout/debts").status_code == 404
    (hit,) = search(actor, solution.product, "debt-1")
    assert (hit.kind, hit.url) == ("debt", "/p/sprout/SOL-1#debts")
    assert as_charlie.post("/p/sprout/debts/1/close", {"how": "pay"}).status_code == 404
    refused = as_alice.post("/p/sprout/debts/1/close", {"how": "drop", "reason": ""}, follow=True)
    assert "Say why it need not be paid" in refused.content.decode()
    as_alice.post("/p/sprout/debts/1/close", {"how": "pay", "reason": "", "from": "debts"})
    assert Debt.objects.get().state == "paid"


def test_the_form_of_the_review_asks_both_questions(actor: Any, as_alice: Any, solution: Any) -> None:
    add_debt(actor, solution, text="no retry")
    review = settle(actor, solution, 4)
    review.due_at = timezone.now()
    review.save()
    page = as_alice.get("/p/sprout/REV-1").content.decode()
    for words in (
        "Did people love it?",
        "Which corners did we cut?",
        "no retry",
        "If it is kept, this falls due",
    ):
        assert words in page
    sent = {"verdict": "achieved", "decision": "keep", "learning": "x", "loved": "Yes.", "corners": "one language"}
    assert as_alice.post("/p/sprout/REV-1/decide", sent).status_code == 302
    assert "Yes." in as_alice.get("/p/sprout/REV-1").content.decode()
    assert Debt.objects.filter(due_at__isnull=False).count() == 2


def test_start_and_improve_show_it_before_work_begins(actor: Any, api: Any, solution: Any) -> None:
    add_debt(actor, solution, text="no retry")
    for path in ("start?subject=SOL-1", "improve?ref=SOL-1"):
        remarks = api.get(f"/products/sprout/{path}").ok["remarks"]
        assert [(one["kind"], one["text"], one["node"]) for one in remarks] == [("debt", "no retry", "SOL-1")]


def test_the_command_line_takes_the_branch_one_is_on(
    invoke: Any, solution: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    from whytree.workspace.terminal.client import CommandError

    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q", "-b", "sol-1-later"], cwd=tmp_path, check=True)
    with pytest.raises(CommandError, match="Which solution"):
        invoke("debt", "add", "no retry")
    subprocess.run(["git", "config", "branch.sol-1-later.whytree", "SOL-1"], cwd=tmp_path, check=True)
    assert invoke("debt", "add", "no retry", "--pay-if", "keep").startswith("DEBT-1   waiting  SOL-1")
    assert "DEBT-2" in invoke("debt", "add", "one language", "--on", "sol-1")
    assert json.loads(invoke("debt", "list", "--state", "waiting", "--json"))[1]["text"] == "one language"
    assert "No debt is due." in invoke("debt", "list", "--state", "due")
    assert "paid" in invoke("debt", "pay", "DEBT-1", "--note", "Retries thrice.")
    assert "Nobody asked." in invoke("debt", "drop", "DEBT-2", "--reason", "Nobody asked.")
