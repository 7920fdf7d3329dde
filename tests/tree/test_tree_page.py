"""The tree's page: outline and drawing, small and large, with text that means harm."""

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest

from whytree.tree import services
from whytree.tree.layout import MOST_NODES, MOST_ROWS, view_of
from whytree.tree.models import EvidenceLink, Opportunity, Solution
from whytree.tree.outline import load_tree
from whytree.workspace.sockets import Chip, Figure, _figures, plug_figure

from .conftest import Garden

HOSTILE = [
    "<script>alert(1)</script>",
    "\" onmouseover=\"alert(1)' {{ 7*7 }} {% now 'Y' %}",
    "أريد أن أنظر حولي أولاً ‮gnp.exe‬",
    "👩‍🌾" * 50,
    "x" * 500,
    "&amp;lt;img src=x onerror=alert(1)&gt;",
]


class Balance(HTMLParser):
    """Counts what is opened and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        self.open[tag] -= 1
        assert self.open[tag] >= 0, f"</{tag}> closes nothing"


def grow(actor: Any, product: Any, *, opportunities: int, solutions: int, evidence: bool = False) -> None:
    """One outcome with so many opportunities, each with so many solutions; straight into the tables, for speed."""
    outcome = services.create_outcome(actor, product, title="Outcome")
    problems = Opportunity.objects.bulk_create(
        Opportunity(product=product, number=at, title=f"Problem {at}", outcome=outcome)
        for at in range(1, opportunities + 1)
    )
    Solution.objects.bulk_create(
        Solution(product=product, number=at * solutions + n, title="Way", opportunity=problem)
        for at, problem in enumerate(problems)
        for n in range(1, solutions + 1)
    )
    if evidence:
        EvidenceLink.objects.bulk_create(
            EvidenceLink(
                product=product,
                node_kind="OPP",
                node_id=problem.pk,
                evidence_type="anecdotal",
                source_kind="note",
                statement=f"says {problem.number}",
            )
            for problem in problems
        )


def text(client: Any, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.content.decode()[:500]
    return str(response.content.decode())


def test_an_empty_tree_helps_to_write_the_first_outcome(as_alice: Any, product: Any) -> None:
    page = text(as_alice, "/p/sprout/tree")
    assert "What should change for people?" in page
    outcome = {"title": "Harvests within a week", "outcome_type": "product_outcome"}
    made = as_alice.post("/p/sprout/tree/add", {"add": "OUT", "from": "outline", **outcome})
    assert (made.status_code, made.url) == (302, "/p/sprout/tree#OUT-1")
    assert "Harvests within a week: not measured yet. Nobody has said yet what stands in the way." in text(
        as_alice, "/p/sprout/tree"
    )


def test_a_viewer_of_an_empty_tree_sees_no_form(as_viewer: Any, product: Any) -> None:
    page = text(as_viewer, "/p/sprout/tree")
    assert "Nothing has been planted yet" in page
    assert "Add the outcome" not in page


@pytest.mark.parametrize("view", ["", "?view=drawn"])
def test_it_shows_every_node_with_what_is_known_of_it(
    as_alice: Any, garden: Garden, actor: Any, product: Any, view: str
) -> None:
    for person in ("ana", "ben"):
        services.link_evidence(
            actor,
            product,
            garden.opportunity,
            evidence_type="user_evidence",
            source_kind="interview",
            person_key=person,
            quote="why?",
        )
    page = text(as_alice, f"/p/sprout/tree{view}")
    for ref in ("OUT-1", "OPP-1", "SOL-1", "HYP-1", "ASM-1", "TST-1"):
        assert f'id="{ref}"' in page
    for shown in ("2 people", "evidence moderate", "idea", "+1 to +7 pp", "untested", "not started"):
        assert shown in page
    Balance().feed(page)


def test_others_draw_live_figures_on_nodes(as_alice: Any, garden: Garden) -> None:
    def figure(product: Any, nodes: Any) -> dict[int, Figure]:
        return {
            one.pk: Figure("33.6 %", "+2.4 pp", spark=[1, 2, 4], chips=[Chip("flag 25 %", "blue")]) for one in nodes
        }

    plug_figure("outcome", figure)
    try:
        page = text(as_alice, "/p/sprout/tree")
    finally:
        _figures["outcome"].remove(figure)
    assert "Activated in 7 days: 33.6\xa0%, +2.4\xa0pp. 1 problem in the way, none being worked on." in page
    assert '<svg class="spark"' in page
    assert "flag 25 %" in page


def test_the_sentence_names_what_is_most_heard_of_and_untouched(
    as_alice: Any, garden: Garden, actor: Any, product: Any
) -> None:
    services.set_state(actor, garden.solution, "building")
    loud = services.create_opportunity(actor, product, outcome=garden.outcome, title="I wanted to look around first")
    services.link_evidence(
        actor, product, loud, evidence_type="anecdotal", source_kind="note", statement="x", person_key="a"
    )
    page = text(as_alice, "/p/sprout/tree")
    assert "2 problems in the way, 1 being worked on." in page
    assert "Most heard of and untouched: I wanted to look around first (1 person heard, nothing tried)." in page


@pytest.mark.parametrize("view", ["", "?view=drawn"])
def test_hostile_text_is_shown_as_text(as_alice: Any, actor: Any, product: Any, view: str) -> None:
    outcome = services.create_outcome(actor, product, title=HOSTILE[0])
    for words in HOSTILE:
        services.create_opportunity(actor, product, outcome=outcome, title=words, segment=words[:200])
    page = text(as_alice, f"/p/sprout/tree{view}")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert 'onmouseover="alert' not in page
    assert "{{ 7*7 }}" in page
    assert not re.search(r"<img src=x", page)
    Balance().feed(page)


def test_300_nodes_cost_as_many_queries_as_three(
    as_alice: Any, actor: Any, product: Any, django_assert_max_num_queries: Any
) -> None:
    grow(actor, product, opportunities=60, solutions=4, evidence=True)
    for view in ("", "?view=drawn"):
        with django_assert_max_num_queries(30):
            text(as_alice, f"/p/sprout/tree{view}")
    with django_assert_max_num_queries(16):
        assert len(load_tree(product)) == 301


def test_a_large_tree_shows_whole_levels_and_a_way_into_each_branch(as_alice: Any, actor: Any, product: Any) -> None:
    grow(actor, product, opportunities=60, solutions=5)
    page = text(as_alice, "/p/sprout/tree")
    assert page.count("data-node ") == 61 <= MOST_NODES
    assert "5 below" in page
    assert "under=OPP-7" in page
    branch = text(as_alice, "/p/sprout/tree?under=OPP-7")
    assert branch.count("data-node ") == 6
    assert "Whole tree" in branch
    assert as_alice.get("/p/sprout/tree?under=OPP-999").status_code == 404


def test_a_very_wide_tree_goes_on_the_next_page(as_alice: Any, actor: Any, product: Any) -> None:
    grow(actor, product, opportunities=MOST_ROWS + 20, solutions=0)
    for view, mark in (("view=drawn&", "view=drawn"), ("", "")):
        page = text(as_alice, f"/p/sprout/tree?{view}")
        assert page.count("data-node ") == MOST_ROWS
        assert f"from={MOST_ROWS}" in page
        last = text(as_alice, f"/p/sprout/tree?{view}from={MOST_ROWS}")
        assert last.count("data-node ") == 22, "the rest, below the outcome they stand under"
        assert mark in page
        Balance().feed(last)


def test_a_chain_of_a_thousand_nodes_is_no_recursion(as_alice: Any, actor: Any, product: Any) -> None:
    Opportunity.objects.bulk_create(Opportunity(product=product, number=n, title=str(n)) for n in range(1, 1100))
    keys = dict(Opportunity.objects.values_list("number", "pk"))
    chain = [Opportunity(pk=keys[n], parent_id=keys[n - 1]) for n in range(2, 1100)]
    Opportunity.objects.bulk_update(chain, ["parent"], batch_size=200)
    assert text(as_alice, "/p/sprout/tree").count("data-node ") <= MOST_NODES
    assert "OPP-1099" in text(as_alice, "/p/sprout/tree?under=OPP-1000")


def test_closed_nodes_can_be_left_out(as_alice: Any, garden: Garden, actor: Any) -> None:
    services.close_node(actor, garden.solution, reason="too dear", with_children=True)
    assert 'id="SOL-1"' in text(as_alice, "/p/sprout/tree")
    page = text(as_alice, "/p/sprout/tree?closed=0")
    assert 'id="SOL-1"' not in page
    assert 'id="OPP-1"' in page
    assert "Show 4 closed" in page


def test_advice_stands_on_a_page_of_its_own(as_alice: Any, garden: Garden) -> None:
    assert "1 piece of advice" in text(as_alice, "/p/sprout/tree")
    assert "Nobody outside the team has said or shown this yet." in text(as_alice, "/p/sprout/tree/advice")


def test_strangers_see_no_tree(as_charlie: Any, client: Any, garden: Garden) -> None:
    assert as_charlie.get("/p/sprout/tree").status_code == 404
    assert client.get("/p/sprout/tree").status_code == 302


def test_the_whole_tree_is_one_answer_at_the_api(api: Any, api_viewer: Any, garden: Garden) -> None:
    tree = api.get("/products/sprout/tree").ok
    assert [(node["ref"], node["depth"], node["parent"]) for node in tree["nodes"]] == [
        ("OUT-1", 0, None),
        ("OPP-1", 1, "OUT-1"),
        ("SOL-1", 2, "OPP-1"),
        ("HYP-1", 3, "SOL-1"),
        ("ASM-1", 3, "SOL-1"),
        ("TST-1", 4, "ASM-1"),
    ]
    assert tree["nodes"][1]["evidence"] == "none"
    assert {advice["rule"] for advice in tree["nodes"][1]["advice"]} == {"no_external_evidence"}
    assert api_viewer.get("/products/sprout/tree").status == 200


def test_metric_keys_in_use_are_offered_while_one_is_typed(as_alice: Any, garden: Garden) -> None:
    assert "activated_7d" in as_alice.get("/p/sprout/tree/metric-keys?metric_key=acti").json()["keys"]


def test_of_several_outcomes_the_one_in_focus_is_spoken_of(
    as_alice: Any, garden: Garden, actor: Any, product: Any
) -> None:
    later = services.create_outcome(actor, product, title="Come back for a second class")
    services.create_opportunity(actor, product, outcome=later, title="I forget that I booked", in_focus=True)
    page = text(as_alice, "/p/sprout/tree")
    assert "Come back for a second class: not measured yet. 1 problem in the way, none being worked on." in page


def test_what_stands_below_a_closed_node_is_dimmed_with_it(garden: Garden, actor: Any, product: Any) -> None:
    services.lock_prediction(actor, garden.hypothesis, at=garden.hypothesis.created_at)
    services.close_node(actor, garden.solution, reason="too dear", with_children=True)
    dim = {row.branch.node.ref for row in view_of(load_tree(product)).rows if row.dim}
    assert dim == {"SOL-1", "HYP-1", "ASM-1", "TST-1"}
