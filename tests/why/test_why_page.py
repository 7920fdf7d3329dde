"""The page and the box: the same answer, readable by everybody who may read, harmless whatever people wrote."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.utils import timezone

from tests.code.repositories import FORM, Clone
from tests.why.conftest import Tree
from whytree.analytics.services import create_metric
from whytree.tree.services import edit_outcome

PATH = "app/form.py"


@pytest.fixture
def shown(cli: Any, clone: Clone, tree: Tree) -> Clone:
    clone.commit("Start", **{PATH: FORM})
    clone.commit("Defer phone\n\nWhy: SOL-1", **{PATH: FORM.replace("phone = forms.CharField()", "phone = None")})
    cli("repository", "add", str(clone.path), "--with-code")
    return clone


def page(client: Any, q: str, status: int = 200) -> str:
    response = client.get("/p/sprout/why", {"q": q})
    assert response.status_code == status
    return str(response.content.decode())


def test_a_line_shows_its_code_and_five_hops(as_alice: Any, shown: Clone) -> None:
    text = page(as_alice, f"{PATH}:6")
    for words in (
        "<h1>One person speaks for “I don&#x27;t know why you need my phone number”.",
        'class="on"><b>6</b>    phone = None',
        "stated: trailer",
        "Defer phone number",
        "I closed it when it wanted my number.",
        "explained, every link stated",
        "Activated in 7 days",
    ):
        assert words in text, words


def test_an_outcome_is_counted_up_to_today_and_no_further(
    as_alice: Any, cli: Any, actor: Any, product: Any, tree: Tree, store: Any
) -> None:
    create_metric(
        actor, product, key="planters", name="Planters", definition={"version": 1, "kind": "unique", "event": "planted"}
    )
    edit_outcome(actor, tree.outcome, metric_key="planters")
    now = timezone.now()
    row = {"product": product.pk, "person": 1, "distinct_id": "1", "event": "planted", "event_id": 1}
    store.insert("events", [{**row, "timestamp": now - timedelta(days=1), "received_at": now}])
    today = f"{now.day} {now:%b %Y}"
    assert f"to {today}</span>" in page(as_alice, "OUT-1")
    assert f"to {today}" in " ".join(cli("why", "OUT-1").output.split())


def test_without_the_text_the_lines_are_explained_all_the_same(
    cli: Any, as_alice: Any, clone: Clone, tree: Tree
) -> None:
    clone.commit("Defer phone\n\nWhy: SOL-1", **{PATH: FORM})
    cli("repository", "add", str(clone.path))
    text = page(as_alice, f"{PATH}:6")
    assert "Defer phone number" in text
    assert "CharField" not in text


def test_every_kind_of_reference_has_its_page(as_alice: Any, shown: Clone) -> None:
    for q in (PATH, f"{PATH}:1-7", shown.head[:7], "SOL-1", "sol-2", "OPP-1", "OUT-1"):
        assert "<h1>" in page(as_alice, q)


def test_the_unexplained_says_what_to_do(as_alice: Any, shown: Clone) -> None:
    text = page(as_alice, f"{PATH}:1")
    assert "Nobody has said why this is here." in text
    assert "unexplained" in text
    assert "--tell &quot;the reason, or an id&quot;" in text


def test_words_are_searched_for(as_alice: Any, shown: Clone) -> None:
    text = page(as_alice, "defer phone")
    assert 'href="/p/sprout/SOL-1"' in text
    assert "Nothing here is called" in page(as_alice, "zebra crossing", 404)
    assert "there is no line 4,000" in page(as_alice, f"{PATH}:4000").lower()


def test_an_empty_page_shows_how_to_begin(as_alice: Any, tree: Tree) -> None:
    text = page(as_alice, "")
    assert "whytree repository add ." in text


def test_what_can_be_asked_is_said_with_what_is_there(as_alice: Any, shown: Clone) -> None:
    examples = re.findall(r'href="/p/sprout/why\?q=([^"]+)"', page(as_alice, ""))
    assert [unquote(one) for one in examples] == [f"{PATH}:6", "app/", shown.head[:7], "SOL-2"]
    for one in examples:
        assert as_alice.get(f"/p/sprout/why?q={one}").status_code == 200
    assert "flag:new_form" in page(as_alice, "")  # no flag yet: one that is made up, and no link


def test_what_was_read_and_left_out_is_listed(as_alice: Any, shown: Clone) -> None:
    assert "sprout-app" in page(as_alice, "")


def test_what_strangers_wrote_is_text(cli: Any, as_alice: Any, clone: Clone, tree: Tree) -> None:
    clone.commit(
        "<script>alert(1)</script>\n\nWhy: SOL-1", author="<b>Ana", **{"a.py": "<img src=x onerror=alert(1)>\n"}
    )
    cli("repository", "add", str(clone.path), "--with-code")
    text = page(as_alice, "a.py:1")
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_readers_may_ask_and_outsiders_find_nothing(
    as_viewer: Any, as_charlie: Any, api_viewer: Any, api_charlie: Any, shown: Clone
) -> None:
    assert "Defer phone" in page(as_viewer, f"{PATH}:6")
    page(as_charlie, f"{PATH}:6", 404)
    path = f"/products/sprout/why?ref={PATH}:6"
    assert (api_viewer.get(path).status, api_charlie.get(path).status) == (200, 404)


def test_another_products_things_are_not_there(api: Any, shown: Clone, other_product: Any, charlie: Any) -> None:
    from tests.conftest import Api

    theirs = Api(charlie)
    for ref in (f"{PATH}:6", shown.head, "SOL-1", "flag:x"):
        assert theirs.get(f"/products/{other_product.slug}/why?ref={ref}").status == 404


def test_the_box_answers_as_one_types(as_alice: Any, as_charlie: Any, shown: Clone) -> None:
    def box(q: str) -> str:
        return str(as_alice.get("/p/sprout/why/box", {"q": q}).content.decode())

    assert box("") == ""
    assert f'href="/p/sprout/why?q={PATH.replace("/", "%2F")}%3A6"' in box(f"{PATH}:6")
    assert "SOL-1" in box("defer")
    assert box("sol-1").index('href="/p/sprout/SOL-1"') < box("sol-1").index("Why sol-1?"), (
        "what is called so comes first"
    )
    assert as_alice.get("/p/sprout/why", {"q": "SUR-9"}).status_code == 404
    assert "app/form.py" in box("form.py")
    assert "Defer phone" in box(shown.head[:7])
    assert "Nothing is called" in box("<zebra>")
    assert "&lt;zebra&gt;" in box("<zebra>")
    assert as_charlie.get("/p/sprout/why/box", {"q": "defer"}).status_code == 404


def test_a_solutions_page_shows_its_code(as_alice: Any, shown: Clone) -> None:
    text = as_alice.get("/p/sprout/SOL-1").content.decode()
    assert "1 commit, 1 line" in text
    assert "stated: trailer" in text
    assert "1 commit" not in as_alice.get("/p/sprout/SOL-2").content.decode()


@pytest.mark.parametrize("typed", ["http://[/p/x", "http://[/p/SOL-1", "http://[x", "//[x", "https://[::1/p/SOL-1"])
def test_an_address_that_is_none_breaks_no_page(as_alice: Any, api: Any, tree: Tree, typed: str) -> None:
    assert as_alice.get("/p/sprout/why", {"q": typed}).status_code == 404
    assert as_alice.get("/p/sprout/why/box", {"q": typed}).status_code == 200
    assert as_alice.get("/p/sprout/start", {"q": typed}).status_code in {200, 404}
    page = as_alice.get("/p/sprout/improve", {"q": typed})
    assert page.status_code == 404
    assert "is no address. Give one as /pricing" in page.content.decode()


@pytest.mark.parametrize("ref", ["", "   ", "nothing of the kind", "x" * 2000, "\0", "flag:", "#0", ":", "::::", "a:0"])
def test_odd_references_are_refused_in_words(api: Any, tree: Tree, ref: str) -> None:
    from urllib.parse import quote

    answer = api.get(f"/products/sprout/why?ref={quote(ref)}")
    assert answer.status in {400, 404}
    assert answer.body["message"]
