"""What other pages show of flags."""

from typing import Any

import pytest

from whytree.flags.evaluation import live
from whytree.flags.services import create_flag, open_flag
from whytree.people.queries import PersonRef
from whytree.workspace.records.activity import activity_for, undo
from whytree.workspace.sockets import figures, panels, search, variants_in_force

pytestmark = pytest.mark.django_db


def flag_panel(actor: Any, product: Any, solution: Any) -> Any:
    [panel] = [each for each in panels("solution", actor, product, solution) if each.template.startswith("flags/")]
    return panel


def drawn(panel: Any) -> str:
    from django.template.loader import render_to_string

    return render_to_string(panel.template, panel.context)


def test_a_solutions_page_shows_its_flag(actor: Any, product: Any, solution: Any, hypothesis: Any) -> None:
    create_flag(actor, product, key="ask-later", solution=solution)
    open_flag(actor, product, "ask-later", coverage=2_500)
    panel = flag_panel(actor, product, solution)
    assert (panel.title, panel.column) == ("Flag", "aside")
    assert "on 25 %" in drawn(panel)
    assert "unjustified" in drawn(panel)


def test_a_solution_without_a_flag_offers_one(actor: Any, product: Any, solution: Any) -> None:
    assert f"/p/sprout/flags?add&amp;solution={solution.ref}" in drawn(flag_panel(actor, product, solution))


def test_a_solution_in_the_tree_has_a_chip_for_each_flag(
    actor: Any, product: Any, solution: Any, django_assert_num_queries: Any
) -> None:
    create_flag(actor, product, key="a", solution=solution)
    create_flag(actor, product, key="b", solution=solution)
    open_flag(actor, product, "b", coverage=2_500)
    chips = [(chip.text, chip.tone) for chip in figures("solution", product, [solution])[solution.pk].chips]
    assert ("flag off", "") in chips
    assert ("flag on 25 %", "blue") in chips


def test_the_box_finds_a_flag_by_key_and_by_name(actor: Any, product: Any) -> None:
    create_flag(actor, product, key="ask-later", name="Phone at the first booking")
    for words in ("ask-later", "flag:ask-later", "ASK", "first booking"):
        [hit] = [hit for hit in search(actor, product, words) if hit.kind == "flag"]
        assert (hit.label, hit.url) == ("ask-later", "/p/sprout/flags/ask-later")
    exact, partial = search(actor, product, "ask-later"), search(actor, product, "booking")
    assert exact[0].rank > partial[0].rank
    assert not [hit for hit in search(actor, product, "flag:") if hit.kind == "flag"]


def test_a_persons_page_shows_what_they_get_and_which_id_gets_something_else(actor: Any, product: Any) -> None:
    create_flag(actor, product, key="split", weights={"on": 1, "off": 1})
    create_flag(actor, product, key="dark")
    open_flag(actor, product, "split")
    person = PersonRef(product.pk, "maria", 1, ("maria", "device <1>", "jack"), (1,), None, None)  # maria off, jack on
    [panel] = [each for each in panels("person", actor, product, person) if each.template.startswith("flags/")]
    [row] = panel.context["rows"]
    assert (row.key, row.variant) == ("split", "off")
    assert "jack" in row.others
    assert "/p/sprout/flags/split?person=maria#evaluate" in drawn(panel)
    assert "<1>" not in drawn(panel)
    stranger = PersonRef(product.pk, "x", 1, ("x",), (1,), None, None)
    open_flag(actor, product, "split", weights={"on": 1}, coverage=1)
    assert not [each for each in panels("person", actor, product, stranger) if each.template.startswith("flags/")]


def test_an_undone_flag_is_gone_from_memory_too(actor: Any, product: Any) -> None:
    flag = create_flag(actor, product, key="f", weights={"on": 1})
    assert "f" in live.flag_set(product.pk).evaluators
    undo(actor, product, activity_for(flag).get().pk)
    assert "f" not in live.flag_set(product.pk).evaluators
    assert variants_in_force(product.pk, "maria") == {}
