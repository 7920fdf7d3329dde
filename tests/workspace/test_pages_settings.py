"""Products, members, keys and tokens as their pages show and change them."""

import json
import re
from html import unescape
from typing import Any

import httpx
import pytest
from django.test import Client
from typer.testing import CliRunner

from whytree.site.cli import build
from whytree.workspace import services
from whytree.workspace.entry import keys
from whytree.workspace.models import Key, Membership, Product
from whytree.workspace.terminal import client

pytestmark = pytest.mark.django_db


def _page(response: Any) -> str:
    return str(response.content.decode())


def _secret(response: Any) -> str:
    found = re.search(r'<code id="secret">([^<]+)</code>', _page(response))
    assert found, "no secret is shown"
    return found[1]


def _status_at_api(secret: str, path: str) -> int:
    return int(Client().get(path, headers={"Authorization": f"Bearer {secret}"}).status_code)


# Products


def test_a_new_product_belongs_to_its_maker(as_alice: Any) -> None:
    response = as_alice.post("/products", {"name": "Weeds", "vision": "Nobody pulls the wrong one."})
    assert response["Location"] == "/p/weeds/today"
    assert Membership.objects.get(product__slug="weeds").user.email == "alice@example.org"
    assert "Nobody pulls the wrong one." in _page(as_alice.get("/products"))


def test_a_product_without_a_name_is_refused_at_the_form(as_alice: Any) -> None:
    response = as_alice.post("/products", {"name": " ", "vision": "Kept."})
    assert response.status_code == 400
    assert "Give the product a name." in _page(response)
    assert "Kept." in _page(response)


def test_the_list_shows_only_ones_own_products(as_charlie: Any, product: Any) -> None:
    page = _page(as_charlie.get("/products"))
    assert "Elsewhere" in page
    assert "Sprout" not in page


def test_the_owner_edits_name_vision_and_time_zone(as_alice: Any, product: Any) -> None:
    words = {"name": "Sprouts", "vision": "Everybody grows.", "timezone": "Europe/Berlin"}
    assert as_alice.post("/p/sprout/settings", words).status_code == 302
    product.refresh_from_db()
    assert (product.name, product.vision, product.timezone) == ("Sprouts", "Everybody grows.", "Europe/Berlin")


def test_an_unknown_time_zone_is_refused_and_nothing_is_kept(as_alice: Any, product: Any) -> None:
    response = as_alice.post("/p/sprout/settings", {"name": "X", "vision": "", "timezone": "Mars/Base"})
    assert response.status_code == 400
    assert "is no time zone" in _page(response)
    assert Product.objects.get(pk=product.pk).name == "Sprout"


def test_a_member_edits_the_vision_only(as_bob: Any, product: Any) -> None:
    page = _page(as_bob.get("/p/sprout/settings"))
    assert 'name="vision"' in page
    assert 'name="timezone"' not in page
    assert as_bob.post("/p/sprout/settings", {"vision": "Everybody grows."}).status_code == 302
    assert as_bob.post("/p/sprout/settings", {"name": "Bob’s"}).status_code == 403
    assert Product.objects.get(pk=product.pk).name == "Sprout"


# Members


def test_the_owner_invites_and_the_link_works(as_alice: Any) -> None:
    made = as_alice.post("/p/sprout/settings/members", {"role": "member", "email": "dora@example.org"})
    link = _secret(made)
    assert link.startswith("http://testserver/invite/")
    assert "no-store" in made["Cache-Control"]
    later = _page(as_alice.get("/p/sprout/settings/members"))
    assert "dora@example.org" in later
    assert link not in later
    assert Client().get(link.removeprefix("http://testserver")).status_code == 200


def test_the_owner_changes_a_role_and_a_discipline(as_alice: Any, bob: Any) -> None:
    as_alice.post(f"/p/sprout/settings/members/{bob.pk}", {"role": "maintainer", "discipline": "support"})
    changed = Membership.objects.get(user=bob)
    assert (changed.role, changed.discipline) == ("maintainer", "support")


def test_everybody_chooses_their_own_discipline(as_viewer: Any, viewer: Any) -> None:
    as_viewer.post(f"/p/sprout/settings/members/{viewer.pk}", {"discipline": "research"})
    assert Membership.objects.get(user=viewer).discipline == "research"


def test_a_removed_member_sees_the_product_no_more(as_alice: Any, as_bob: Any, bob: Any) -> None:
    assert as_bob.get("/p/sprout/settings").status_code == 200
    as_alice.post(f"/p/sprout/settings/members/{bob.pk}/remove")
    assert as_bob.get("/p/sprout/settings").status_code == 404


@pytest.fixture
def bobs_key(actor: Any, bob: Any, product: Any) -> str:
    """A server key that Bob made before he became a mere member; its secret."""
    services.set_member(actor, product, bob.pk, role="maintainer")
    return keys.create_key(keys.actor_of_user(bob), product, kind="server", name="backend of Bob")[1]


def test_a_removed_members_token_opens_nothing_and_the_remover_is_told_of_their_keys(
    as_alice: Any, bob: Any, bobs_key: str
) -> None:
    _, token = keys.create_token(keys.actor_of_user(bob), name="laptop", scopes=[])
    address = "/api/products/sprout"
    assert _status_at_api(token, address) == 200
    assert "with the key they made (1)" in _page(as_alice.get("/p/sprout/settings/members"))
    removed = as_alice.post(f"/p/sprout/settings/members/{bob.pk}/remove", follow=True)
    assert "Still open, made by them: “backend of Bob”" in unescape(_page(removed))
    assert _status_at_api(token, address) == 404
    assert _status_at_api(bobs_key, address) == 200, "a server may run on it"
    assert "by Bob" in _page(as_alice.get("/p/sprout/settings/keys"))


def test_their_keys_are_revoked_in_the_same_step(as_alice: Any, bob: Any, bobs_key: str, server_key: str) -> None:
    removed = as_alice.post(f"/p/sprout/settings/members/{bob.pk}/remove", {"revoke_keys": "1"}, follow=True)
    assert "Revoked with them: “backend of Bob”" in unescape(_page(removed))
    keys.forget_cached()
    assert _status_at_api(bobs_key, "/api/products/sprout") == 401
    assert _status_at_api(server_key, "/api/products/sprout") == 200, "Alice's own"


def test_the_command_line_says_which_keys_they_made(
    api: Any, bob: Any, bobs_key: str, open_connection: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core.wsgi import get_wsgi_application

    monkeypatch.setenv("WHYTREE_TOKEN", api.token)
    monkeypatch.setattr(client, "running_server", lambda data: "")
    monkeypatch.setattr(client, "_in_process", lambda: httpx.WSGITransport(app=get_wsgi_application()))

    def said(*words: str) -> Any:
        return CliRunner().invoke(build(), ["member", "remove", *words])

    assert said("nobody@example.org").exit_code == 2
    told = json.loads(said("Bob@example.org", "--json").output)
    assert [key["name"] for key in told["keys"]] == ["backend of Bob"]
    assert not told["keys_revoked"]
    assert not Membership.objects.filter(user=bob).exists()
    (key,) = api.get("/products/sprout/keys").ok
    assert (key["made_by"], key["revoked_at"]) == (bob.pk, None)


def test_the_last_owner_stays(as_alice: Any, alice: Any) -> None:
    for path, words in (("", {"role": "viewer"}), ("/remove", {})):
        response = as_alice.post(f"/p/sprout/settings/members/{alice.pk}{path}", words)
        assert response.status_code == 400
        assert "A product needs an owner." in _page(response)
    assert Membership.objects.get(user=alice).role == "owner"


# Roles: no button one may not press, and no way around


MEMBER_MAY_NOT = ["settings/members", "settings/members/{alice}", "settings/members/{alice}/remove", "settings/keys"]


@pytest.mark.parametrize("path", MEMBER_MAY_NOT)
def test_a_member_may_not_change_members_or_keys(as_bob: Any, alice: Any, path: str) -> None:
    words = {"role": "owner", "kind": "capture", "name": "x"}
    response = as_bob.post("/p/sprout/" + path.format(alice=alice.pk), words)
    assert response.status_code == 403
    assert "Ask an owner" in _page(response)


@pytest.mark.parametrize("path", [*MEMBER_MAY_NOT, "settings", "activity"])
def test_an_outsider_learns_nothing(as_charlie: Any, alice: Any, product: Any, path: str) -> None:
    address = "/p/sprout/" + path.format(alice=alice.pk)
    unknown = _page(as_charlie.get("/p/no-such-product/settings"))
    for response in (as_charlie.get(address), as_charlie.post(address, {"role": "owner"})):
        assert response.status_code in (404, 405)
        assert "Sprout" not in _page(response)
    if as_charlie.get(address).status_code == 404:
        assert re.sub(r"value=\"[^\"]+\"|\w{64}", "", _page(as_charlie.get(address))) == re.sub(
            r"value=\"[^\"]+\"|\w{64}", "", unknown
        )


@pytest.mark.parametrize("path", ["settings", "settings/members", "settings/keys", "activity"])
def test_a_viewer_sees_no_button_that_is_not_theirs(as_viewer: Any, viewer: Any, capture_key: str, path: str) -> None:
    page = _page(as_viewer.get("/p/sprout/" + path))
    forms = re.findall(r'<form [^>]*method="post"[^>]*action="([^"]*)"', page)
    assert set(forms) <= {"/sign-out", f"/p/sprout/settings/members/{viewer.pk}"}
    assert not re.search(r'<form [^>]*method="post"(?![^>]*action=)', page)


# Keys


def test_a_new_key_is_shown_once_ready_to_paste(as_alice: Any) -> None:
    made = as_alice.post("/p/sprout/settings/keys", {"kind": "capture", "name": "web app"})
    secret = _secret(made)
    assert secret.startswith("wtc_")
    assert f"curl http://testserver/v1/track -u '{secret}:'" in _page(made)
    assert f"Bearer {secret}" in _page(made)
    assert "no-store" in made["Cache-Control"]
    later = _page(as_alice.get("/p/sprout/settings/keys"))
    assert secret not in later
    assert secret[:10] in later
    assert "YOUR_KEY" in later


def test_a_revoked_key_is_refused_at_the_api(as_alice: Any, django_capture_on_commit_callbacks: Any) -> None:
    secret = _secret(as_alice.post("/p/sprout/settings/keys", {"kind": "server", "name": "backend"}))
    assert _status_at_api(secret, "/api/products/sprout") == 200
    with django_capture_on_commit_callbacks(execute=True):
        as_alice.post(f"/p/sprout/settings/keys/{Key.objects.get(name='backend').pk}/revoke")
    assert _status_at_api(secret, "/api/products/sprout") == 401
    assert "revoked" in _page(as_alice.get("/p/sprout/settings/keys"))


@pytest.mark.parametrize("words", [{"kind": "capture", "name": " "}, {"kind": "personal", "name": "x"}, {}])
def test_a_key_that_makes_no_sense_is_refused_at_the_form(as_alice: Any, words: dict[str, str]) -> None:
    response = as_alice.post("/p/sprout/settings/keys", words)
    assert response.status_code == 400
    assert 'role="alert"' in _page(response)
    assert not Key.objects.exists()


def test_another_products_key_cannot_be_revoked(as_charlie: Any, as_alice: Any, capture_key: str) -> None:
    pk = Key.objects.get().pk
    assert as_charlie.post(f"/p/sprout/settings/keys/{pk}/revoke").status_code == 404
    assert as_charlie.post(f"/p/elsewhere/settings/keys/{pk}/revoke").status_code == 404
    assert Key.objects.get().revoked_at is None


# Tokens


def test_a_token_acts_as_its_owner_until_it_is_revoked(as_bob: Any, django_capture_on_commit_callbacks: Any) -> None:
    secret = _secret(as_bob.post("/tokens", {"name": "laptop", "scope": "all"}))
    assert _status_at_api(secret, "/api/products/sprout") == 200
    assert secret not in _page(as_bob.get("/tokens"))
    with django_capture_on_commit_callbacks(execute=True):
        as_bob.post(f"/tokens/{Key.objects.get().pk}/revoke")
    assert _status_at_api(secret, "/api/products/sprout") == 401


def test_a_read_token_cannot_write(as_alice: Any) -> None:
    secret = _secret(as_alice.post("/tokens", {"name": "report", "scope": "read"}))
    headers = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/products/sprout", headers=headers).status_code == 200
    written = Client().patch("/api/products/sprout", '{"name": "X"}', content_type="application/json", headers=headers)
    assert written.status_code == 403


def test_an_unknown_scope_is_refused_at_the_form(as_alice: Any) -> None:
    assert as_alice.post("/tokens", {"name": "x", "scope": "root"}).status_code == 400
    assert not Key.objects.exists()


def test_nobody_sees_or_revokes_anothers_token(as_alice: Any, as_bob: Any) -> None:
    as_bob.post("/tokens", {"name": "bob’s laptop", "scope": "all"})
    assert "bob’s laptop" not in _page(as_alice.get("/tokens"))
    assert as_alice.post(f"/tokens/{Key.objects.get().pk}/revoke").status_code == 404


# The bar


def test_the_bar_outside_a_product_keeps_the_product_that_was_open(as_alice: Any, actor: Any) -> None:
    services.create_product(actor, name="Weeds")
    as_alice.get("/p/weeds/settings")
    assert 'action="/p/weeds/why"' in _page(as_alice.get("/tokens"))
    as_alice.get("/p/sprout/settings")
    page = _page(as_alice.get("/tokens"))
    assert 'action="/p/sprout/why"' in page
    assert 'href="/p/weeds/today"' in page, "the switch offers the other one"
