"""The activity page: who did what, what it was before, and taking back one's own last act."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps

from whytree.tree.models import Outcome
from whytree.workspace import queries, services
from whytree.workspace.entry.keys import actor_of_user, create_key
from whytree.workspace.models import Activity, Membership, Product
from whytree.workspace.pages.activity import PAGE_SIZE
from whytree.workspace.records.activity import record

pytestmark = pytest.mark.django_db


def _page(response: Any) -> str:
    return str(response.content.decode())


def test_it_tells_who_did_what_with_before_and_after(as_alice: Any, actor: Any, product: Any, bob: Any) -> None:
    services.set_member(actor, product, bob.pk, role="viewer")
    page = _page(as_alice.get("/p/sprout/activity"))
    assert "Alice made the last change" in page
    assert "set member" in page
    assert '<pre role="cell" class="gone">member</pre>' in page
    assert '<pre role="cell" class="came">viewer</pre>' in page


def test_foreign_keys_are_shown_by_name(actor: Any, product: Any, bob: Any) -> None:
    membership = Membership.objects.get(user=bob)
    before = {"user_id": actor.user_id, "role": "viewer"}
    record(actor, product, "set_member", membership, before=before, after={"user_id": bob.pk, "role": "viewer"})
    (entry,) = queries.entries(list(queries.activities_of(product)[:1]))
    assert entry.changes == [queries.Change("user", "Alice", "Bob")]


def test_what_people_wrote_is_shown_as_text(as_alice: Any, actor: Any, product: Any) -> None:
    services.edit_product(actor, product, vision="<script>alert(1)</script>")
    page = _page(as_alice.get("/p/sprout/activity"))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_a_tree_node_is_linked(actor: Any, product: Any) -> None:
    outcome = Outcome.objects.create(product=product, number=3, title="Activated")
    record(actor, product, "create_outcome", outcome)
    assert queries.entries(list(queries.activities_of(product)[:1]))[0].path == "OUT-3"
    outcome.delete()
    assert queries.entries(list(queries.activities_of(product)[:1]))[0].path == ""


@pytest.mark.parametrize(("label", "path"), queries.SUBJECT_PATHS.items())
def test_every_kind_of_subject_has_what_its_address_is_made_of(label: str, path: str) -> None:
    model: Any = apps.get_model(label)
    for names in re.findall(r"\{0\.([\w.]+)\}", path):
        found = model
        for name in names.split("."):
            found = getattr(found, name)
            found = found.field.related_model if hasattr(found, "field") and found.field.is_relation else found


def test_undo_takes_back_ones_own_last_act(as_alice: Any, actor: Any, product: Any) -> None:
    services.edit_product(actor, product, vision="First.")
    services.edit_product(actor, product, vision="Second.")
    last = Activity.objects.latest("pk")
    assert f"/p/sprout/activity/{last.pk}/undo" in _page(as_alice.get("/p/sprout/activity"))
    assert as_alice.post(f"/p/sprout/activity/{last.pk}/undo")["Location"] == "/p/sprout/activity"
    assert Product.objects.get(pk=product.pk).vision == "First."
    assert "taken back" in _page(as_alice.get("/p/sprout/activity"))


def test_only_the_last_own_act_has_a_button(as_alice: Any, as_bob: Any, actor: Any, product: Any) -> None:
    services.edit_product(actor, product, vision="First.")
    services.edit_product(actor, product, vision="Second.")
    assert _page(as_alice.get("/p/sprout/activity")).count("/undo") == 1
    assert "/undo" not in _page(as_bob.get("/p/sprout/activity"))
    create_key(actor, product, kind="capture", name="web")
    assert "/undo" not in _page(as_alice.get("/p/sprout/activity")), "a key cannot be unmade"


def test_a_conflict_is_told_on_the_page(as_alice: Any, actor: Any, product: Any, bob: Any) -> None:
    services.edit_product(actor, product, vision="Mine.")
    mine = Activity.objects.latest("pk")
    services.edit_product(actor_of_user(bob), product, vision="Bob’s.")
    response = as_alice.post(f"/p/sprout/activity/{mine.pk}/undo")
    assert response.status_code == 400
    assert "It was changed since" in _page(response)
    assert Product.objects.get(pk=product.pk).vision == "Bob’s."


def test_anothers_act_and_another_product_are_refused(
    as_bob: Any, as_viewer: Any, as_charlie: Any, actor: Any, product: Any
) -> None:
    services.edit_product(actor, product, vision="Mine.")
    address = f"/p/sprout/activity/{Activity.objects.latest('pk').pk}/undo"
    assert as_bob.post(address).status_code == 403
    assert as_viewer.post(address).status_code == 403
    assert as_charlie.post(address).status_code == 404
    assert as_charlie.post(address.replace("sprout", "elsewhere")).status_code == 404
    assert Product.objects.get(pk=product.pk).vision == "Mine."


def test_it_can_be_filtered_by_person(as_alice: Any, actor: Any, product: Any, bob: Any) -> None:
    services.edit_product(actor, product, vision="Alice’s words")
    services.edit_product(actor_of_user(bob), product, vision="Bob’s words")
    page = _page(as_alice.get("/p/sprout/activity", {"by": bob.pk}))
    assert "Bob last did something" in page
    assert page.count('class="timeline"') == 1
    assert page.count("edited product") == 1


def test_each_day_has_a_heading_of_its_own(as_alice: Any, actor: Any, product: Any) -> None:
    for days, vision in ((1, "Later."), (8, "First.")):
        services.edit_product(actor, product, vision=vision)
        at = datetime(2026, 3, 10, 23, 59, tzinfo=UTC) - timedelta(days=days)
        Activity.objects.filter(pk=Activity.objects.latest("pk").pk).update(at=at)
    page = _page(as_alice.get("/p/sprout/activity"))
    assert "<h2>Monday, 9 Mar 2026</h2>" in page
    assert page.index("Monday, 9 Mar 2026") < page.index("Monday, 2 Mar 2026")
    assert page.count(">23:59</time>") == 2


@pytest.mark.parametrize("by", ["0", "x", "99999999999999999999", "-1", "²"])
def test_a_filter_that_makes_no_sense_is_no_error(as_alice: Any, by: str) -> None:
    assert as_alice.get("/p/sprout/activity", {"by": by, "page": by}).status_code == 200


def test_a_long_list_has_pages(as_alice: Any, actor: Any, product: Any) -> None:
    for number in range(PAGE_SIZE + 5):
        record(actor, product, "edit_product", product, before={"name": "a"}, after={"name": f"name {number}"})
    first, second = _page(as_alice.get("/p/sprout/activity")), _page(as_alice.get("/p/sprout/activity?page=2"))
    assert "Older" in first
    assert "Newer" in second
    assert "name 0<" in second
    assert "name 0<" not in first


def test_the_page_asks_as_many_queries_for_fifty_acts_as_for_two(
    as_alice: Any, actor: Any, product: Any, bob: Any, django_assert_max_num_queries: Any
) -> None:
    for role in ["viewer", "member"] * 25:
        services.set_member(actor, product, bob.pk, role=role)
    with django_assert_max_num_queries(22):
        as_alice.get("/p/sprout/activity")


def test_it_says_that_the_command_line_was_used(client: Any, api: Any, product: Any) -> None:
    headers = {"Authorization": f"Bearer {api.token}", "X-Whytree-Via": "cli"}
    body = {"key": "signups", "definition": {"version": 1, "kind": "count", "event": "signed_up"}}
    sent = client.post("/api/products/sprout/metrics", body, content_type="application/json", headers=headers)
    assert sent.status_code == 201
    assert Activity.objects.get(verb="create_metric").via == "cli"


def test_the_same_act_done_over_and_over_is_one_line(as_alice: Any, actor: Any, product: Any, bob: Any) -> None:
    for number in range(4):
        record(actor, product, "put_away", Outcome(pk=number + 1, product=product, number=number + 1, title="x"))
    services.set_member(actor, product, bob.pk, role="viewer")
    for _ in range(3):
        record(actor, product, "read", product)
    page = _page(as_alice.get("/p/sprout/activity"))
    assert page.count('class="run"') == 2
    assert f"put away {Outcome(number=4).ref} and 3 more" in page
    assert "read Sprout, 3 times" in page
    assert all(f"OUT-{number}" in page for number in range(1, 5)), "each is there to be opened"


def test_what_is_not_alike_stays_apart(actor: Any, product: Any, bob: Any) -> None:
    for who in (actor, actor_of_user(bob)):
        for verb in ("read", "read", "put_away"):
            record(who, product, verb, product)
    found = queries.entries(list(queries.activities_of(product).filter(verb__in=["read", "put_away"])))
    assert [len(run.entries) for run in queries.runs(found)] == [1] * 6
    at = datetime(2026, 3, 10, 0, 1, tzinfo=UTC)
    for minutes in (0, 1, 2):  # one before midnight, two after it
        kept = record(actor, product, "read", product)
        Activity.objects.filter(pk=kept.pk).update(at=at - timedelta(minutes=3 - minutes * 2))
    days = queries.entries(list(queries.activities_of(product).filter(at__lt=at + timedelta(hours=1))))
    assert [len(run.entries) for run in queries.runs(days)] == [1] * 3
