"""Keys: shown once, kept as a hash, closed for good, and never able to do more than they say."""

from typing import Any

import pytest
from django.test import Client

from whytree.errors import Forbidden, Invalid
from whytree.workspace.entry import keys
from whytree.workspace.models import Key
from whytree.workspace.rights.actors import Actor

pytestmark = pytest.mark.django_db


def _get(secret: str, path: str = "/api/products/sprout") -> int:
    return int(Client().get(path, headers={"Authorization": f"Bearer {secret}"}).status_code)


def test_a_secret_is_not_kept(actor: Any, product: Any) -> None:
    key, secret = keys.create_key(actor, product, kind="server", name="backend")
    stored = Key.objects.filter(pk=key.pk).values().get()
    assert secret not in map(str, stored.values())
    assert secret.startswith(key.prefix)


def test_a_server_key_reads_its_own_product_only(server_key: str, other_product: Any) -> None:
    assert _get(server_key) == 200
    assert _get(server_key, "/api/products/elsewhere") == 404


def test_a_request_never_waits_for_the_time_of_use_to_be_written(
    server_key: str, django_assert_num_queries: Any
) -> None:
    keys.write_uses_later(True)
    try:
        with django_assert_num_queries(1):
            assert keys.find_key(server_key)
        assert Key.objects.get(kind="server").last_used_at is None
        keys.write_uses()
        assert Key.objects.get(kind="server").last_used_at is not None
        keys.forget_cached()
        with django_assert_num_queries(1):
            assert keys.find_key(server_key)
        assert not keys._used, "noted once a minute"
    finally:
        keys.write_uses_later(False)


def test_without_a_server_the_time_of_use_is_written_at_once(server_key: str) -> None:
    assert _get(server_key) == 200
    assert Key.objects.get(kind="server").last_used_at is not None


def test_a_capture_key_opens_no_api(capture_key: str) -> None:
    assert _get(capture_key) == 403


def test_a_revoked_key_is_unknown_at_once(api: Any, server_key: str, django_capture_on_commit_callbacks: Any) -> None:
    assert _get(server_key) == 200
    key = Key.objects.get(kind="server")
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(f"/products/sprout/keys/{key.pk}").status == 200
    assert _get(server_key) == 401


def test_an_unknown_key_is_refused_with_a_way_out(product: Any) -> None:
    answer = Client().get("/api/products/sprout", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert "Make a new one" in answer.json()["message"]


def test_no_key_is_refused_with_a_way_out(product: Any) -> None:
    answer = Client().get("/api/products/sprout")
    assert answer.status_code == 401
    assert "Authorization" in answer.json()["message"]


def test_a_reading_token_cannot_write(alice: Any, product: Any) -> None:
    _, secret = keys.create_token(keys.actor_of_user(alice), name="ro", scopes=["read"])
    assert _get(secret) == 200
    answer = Client().patch(
        "/api/products/sprout",
        '{"vision": "x"}',
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 403


def test_a_reading_token_makes_and_closes_nothing(alice: Any, product: Any) -> None:
    mine, _ = keys.create_token(keys.actor_of_user(alice), name="all", scopes=[])
    _, secret = keys.create_token(keys.actor_of_user(alice), name="ro", scopes=["read"])
    headers = {"Authorization": f"Bearer {secret}"}
    for path, body in (("/api/tokens", '{"name": "x", "scopes": ["read"]}'), ("/api/products", '{"name": "x"}')):
        assert Client().post(path, body, content_type="application/json", headers=headers).status_code == 403
    assert Client().delete(f"/api/tokens/{mine.pk}", headers=headers).status_code == 403
    mine_too = f"/api/products/{product.slug}/members/{alice.pk}"  # one's own discipline needs no role, but a token that writes
    sent = Client().patch(mine_too, '{"discipline": "design"}', content_type="application/json", headers=headers)
    assert sent.status_code == 403


def test_a_change_from_nobody_or_from_elsewhere_is_told_what_is_missing(as_alice: Any, alice: Any) -> None:
    """Not that its body cannot be read: a browser's token is looked for before anything else is."""
    strict = Client(enforce_csrf_checks=True)
    body = '{"name": "Weeds"}'
    answer = strict.post("/api/products", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    strict.force_login(alice)
    answer = strict.post("/api/products", body, content_type="application/json")
    assert (answer.status_code, "our own pages" in answer.json()["message"]) == (403, True)


def test_a_server_key_makes_no_product(server_key: str) -> None:
    headers = {"Authorization": f"Bearer {server_key}"}
    answer = Client().post("/api/products", '{"name": "x"}', content_type="application/json", headers=headers)
    assert answer.status_code == 403


def test_a_token_cannot_make_a_stronger_one(alice: Any) -> None:
    weak = Actor(alice.pk, "Alice", "api", scopes=frozenset({"read"}))
    with pytest.raises(Forbidden):
        keys.create_token(weak, name="more", scopes=[])


def test_a_member_makes_no_keys(api_bob: Any) -> None:
    answer = api_bob.post("/products/sprout/keys", {"kind": "server"})
    assert answer.status == 403
    assert "maintainer" in answer.body["message"]


def test_an_outsider_learns_nothing(api_charlie: Any, product: Any) -> None:
    for path in ("", "/members", "/keys", "/activity"):
        assert api_charlie.get(f"/products/sprout{path}").status == 404
        assert api_charlie.get(f"/products/no-such{path}").status == 404
    sprout, absent = api_charlie.get("/products/sprout").body, api_charlie.get("/products/no-such").body
    assert sprout == absent


def test_a_server_key_may_do_what_its_scopes_say(actor: Any, product: Any, store: Any) -> None:
    """One that only sends opens no API, one that only reads sends nothing, evaluates nothing and changes nothing."""
    sends, reads = (
        keys.create_key(actor, product, kind="server", name=scope, scopes=[scope])[1] for scope in ("events", "read")
    )
    assert (_get(sends), _get(reads)) == (403, 200)
    assert _post(reads, "/api/products/sprout/keys", {"kind": "capture"}) == 403
    for path, body in {
        "/v1/track": {"event": "planted", "userId": "ann"},
        "/ofrep/v1/evaluate/flags": {"context": {"targetingKey": "ann"}},
        "/i/v0/e/": {"event": "planted", "distinct_id": "ann"},
        "/flags/?v=2": {"distinct_id": "ann"},
    }.items():
        assert _post(sends, path, {**body, "writeKey": sends, "api_key": sends}) == 200, path
        assert _post(reads, path, {**body, "writeKey": reads, "api_key": reads}) == 403, path


def _post(secret: str, path: str, body: dict[str, Any]) -> int:
    sent = Client().post(path, body, content_type="application/json", headers={"Authorization": f"Bearer {secret}"})
    return int(sent.status_code)


def test_scopes_are_known_ones_and_a_servers(actor: Any, product: Any) -> None:
    with pytest.raises(Invalid, match="no scope all; there are events, read and write"):
        keys.create_key(actor, product, kind="server", name="backend", scopes=["all"])
    with pytest.raises(Invalid, match="nothing to narrow"):
        keys.create_key(actor, product, kind="capture", name="web", scopes=["events"])


def test_a_key_makes_none_that_may_do_more(actor: Any, product: Any) -> None:
    _, secret = keys.create_key(actor, product, kind="server", name="deploys", scopes=["write"])
    asked = {"kind": "server", "name": "more"}
    assert _post(secret, "/api/products/sprout/keys", asked) == 403
    assert _post(secret, "/api/products/sprout/keys", {**asked, "scopes": ["write"]}) == 201
    assert (
        _post(secret, "/api/products/sprout/keys", {**asked, "scopes": ["events"]}) == 403
    )  # what it sends is trusted


def test_the_page_makes_a_key_that_only_sends(as_alice: Any, product: Any) -> None:
    as_alice.post("/p/sprout/settings/keys", {"kind": "server", "name": "worker", "may": "events"})
    assert Key.objects.get(name="worker").scopes == ["events"]
