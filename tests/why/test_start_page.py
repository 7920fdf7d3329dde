"""Starting on a page: the same card and questions as on the command line, without the branch."""

import re
from typing import Any
from urllib.parse import unquote

import pytest

from tests.why.conftest import Tree
from whytree.code.models import Ticket
from whytree.tree.models import Note, Solution
from whytree.workspace.models import Product

PATH = "/p/sprout/start"


def test_it_asks_what_one_starts_on(as_alice: Any) -> None:
    text = as_alice.get(PATH).content.decode()
    assert "What do you start on?" in text
    assert "?subject=" not in text, "nothing is there yet: what can be typed is shown, and leads nowhere"


def test_each_example_is_the_products_own_and_answers(as_alice: Any, product: Product, tree: Tree) -> None:
    Ticket.objects.create(product=product, key="#9", title="Closed long ago", state=Ticket.State.CLOSED)
    Ticket.objects.create(product=product, key="#8", title="<b>Nobody</b> has placed this one")
    examples = re.findall(rf'href="{PATH}\?subject=([^"]+)"', as_alice.get(PATH).content.decode())
    assert [unquote(one) for one in examples][:2] == ["#8", "OPP-1"]
    for one in examples:
        assert as_alice.get(f"{PATH}?subject={one}").status_code == 200


def test_it_shows_who_has_the_problem_and_asks_three_questions(as_alice: Any, tree: Tree) -> None:
    text = as_alice.get(PATH, {"subject": "Explain the phone number"}).content.decode()
    assert text.count("<textarea") == 2
    assert "Which problem are we solving?" in text
    assert '<option value="OPP-1">' in text
    text = as_alice.get(PATH, {"subject": "OPP-1"}).content.decode()
    assert "I closed it when it wanted my number." in text
    assert "What will you try?" in text
    assert "Which problem are we solving?" not in text
    assert "whytree start OPP-1" in text


def test_choosing_a_problem_shows_its_people_and_keeps_it(as_alice: Any, tree: Tree) -> None:
    text = as_alice.get(PATH, {"subject": "Explain the phone number"}).content.decode()
    assert "?subject=Explain%20the%20phone%20number&amp;title=&amp;problem=OPP-1" in text
    text = as_alice.get(PATH, {"subject": "Explain the phone number", "problem": "OPP-1"}).content.decode()
    assert "I closed it when it wanted my number." in text
    assert '<input type="hidden" name="problem" value="OPP-1">' in text
    as_alice.post(PATH, {"subject": "Explain the phone number", "problem": "OPP-1"})
    assert Solution.objects.get(number=3).opportunity == tree.opportunity


def test_posting_starts_and_says_how_to_go_on(as_alice: Any, tree: Tree) -> None:
    sent = {"subject": "#412", "title": "Sign-up form", "problem": "OPP-1", "who": "New people"}
    answer = as_alice.post(PATH, sent, follow=True)
    assert answer.redirect_chain == [("/p/sprout/SOL-3", 302)]
    text = answer.content.decode()
    assert "whytree start SOL-3</code> makes the branch whose commits say “Why: SOL-3”" in text
    assert (Ticket.objects.get().title, Solution.objects.get(number=3).title) == ("Sign-up form", "Sign-up form")
    assert set(Note.objects.exclude(answer="").values_list("answer", flat=True)) == {
        "OPP-1 I don't know why you need my phone number",
        "New people",
    }


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"subject": ""}, "Say what you start on"),
        ({"subject": "SOL-99"}, "There is no SOL-99"),
        ({"subject": "Form", "problem": "SOL-1", "who": "kept words"}, "no problem of somebody"),
        ({"subject": "x" * 3_000}, "fewer words"),
    ],
)
def test_what_cannot_be_started_is_a_sentence_beside_what_was_typed(
    as_alice: Any, tree: Tree, sent: dict[str, str], words: str
) -> None:
    answer = as_alice.post(PATH, sent)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert sent.get("who", "") in answer.content.decode()
    assert Solution.objects.count() == 2


def test_readers_look_but_do_not_start_and_outsiders_find_nothing(as_viewer: Any, as_charlie: Any, tree: Tree) -> None:
    text = as_viewer.get(PATH, {"subject": "OPP-1"}).content.decode()
    assert "You read here." in text
    assert as_viewer.post(PATH, {"subject": "Form"}).status_code == 403
    assert as_charlie.get(PATH, {"subject": "OPP-1"}).status_code == 404


def test_strange_words_are_text(as_alice: Any, tree: Tree) -> None:
    text = as_alice.get(PATH, {"subject": "$(id) \x1b[31m <script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in text
    assert "whytree start &#x27;$(id) ␛[31m &lt;script&gt;" in text


def test_a_solution_that_is_open_leads_there(as_alice: Any, tree: Tree) -> None:
    assert "/p/sprout/start?subject=SOL-1" in as_alice.get("/p/sprout/SOL-1").content.decode()


def test_a_ticket_that_nobody_explained_leads_there(as_alice: Any, product: Any) -> None:
    Ticket.objects.create(product=product, key="#412", title="Form")
    text = as_alice.get("/p/sprout/why", {"q": "#412"}).content.decode()
    assert "/p/sprout/start?subject=%23412" in text
