"""Coming in and going out: first run, sign-in, links that work once, and what the doors refuse."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from whytree.site.settings import _sessions
from whytree.workspace import services
from whytree.workspace.entry import attempts
from whytree.workspace.models import Activity, Invitation, Membership, Product, User

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
FIRST = {"email": "Alice@example.org", "name": "Alice", "password": PASSWORD, "product": "Sprout", "vision": ""}


def _page(response: Any) -> str:
    return str(response.content.decode())


def _is_signed_in(client: Client) -> bool:
    return client.get("/products").status_code == 200


def _sign_in(client: Client, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/sign-in", {"email": "alice@example.org", "password": password, **more})


# First run


def test_a_fresh_workspace_leads_to_the_first_run_page() -> None:
    response = Client().get("/", follow=True)
    assert response.redirect_chain == [("/first-run", 302)]
    assert "You are the first here." in _page(response)


def test_the_first_run_makes_an_owner_and_a_product_and_signs_in() -> None:
    client = Client()
    assert client.post("/first-run", FIRST)["Location"] == "/p/sprout/today"
    owner = Membership.objects.get(product__slug="sprout")
    assert (owner.user.email, owner.role) == ("alice@example.org", "owner")
    assert _is_signed_in(client)


def test_the_first_run_page_closes_itself(alice: Any) -> None:
    assert Client().get("/first-run")["Location"] == "/"
    assert Client().post("/first-run", {**FIRST, "email": "mallory@example.org"})["Location"] == "/"
    assert not User.objects.filter(email="mallory@example.org").exists()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"email": "alice"}, "is not an e-mail address"),
        ({"password": "short"}, "too short"),
        ({"product": " "}, "Give the product a name."),
    ],
)
def test_the_first_run_makes_nothing_when_something_is_wrong(wrong: dict[str, str], sentence: str) -> None:
    response = Client().post("/first-run", {**FIRST, **wrong})
    assert response.status_code == 400
    assert sentence in _page(response)
    assert not User.objects.exists()
    assert not Product.objects.exists()


def test_a_refused_form_keeps_what_was_written_but_the_password() -> None:
    page = _page(Client().post("/first-run", {**FIRST, "email": "nobody", "vision": "It <grows>."}))
    assert "It &lt;grows&gt;." in page
    assert PASSWORD not in page


# Sign-in and sign-out


def test_the_right_password_signs_in_and_signing_out_ends_it(alice: Any, product: Any) -> None:
    client = Client()
    assert _sign_in(client)["Location"] == "/"
    assert _is_signed_in(client)
    assert client.post("/sign-out")["Location"] == "/sign-in"
    assert not _is_signed_in(client)


def test_signing_out_by_a_mere_link_is_refused(as_alice: Any) -> None:
    assert as_alice.get("/sign-out").status_code == 405
    assert _is_signed_in(as_alice)


def test_who_signs_out_at_one_of_several_processes_is_out_at_all(alice: Any, product: Any, settings: Any) -> None:
    settings.SESSION_ENGINE = _sessions("postgresql://whytree@db/whytree")
    here = Client()
    here.force_login(alice)
    assert here.get("/p/sprout/today").status_code == 200
    Session.objects.all().delete()  # as another process does it, which cannot reach what this one remembers
    assert here.get("/p/sprout/today").status_code == 302


def test_a_wrong_password_and_an_unknown_address_look_the_same(alice: Any) -> None:
    client = Client()
    wrong = _sign_in(client, "wrong horse battery")
    unknown = client.post("/sign-in", {"email": "nobody@example.org", "password": PASSWORD})
    assert wrong.status_code == unknown.status_code == 400
    for response in (wrong, unknown):
        assert "The address or the password is not right." in _page(response)


def test_a_closed_account_cannot_sign_in(alice: Any) -> None:
    User.objects.update(is_active=False)
    assert _sign_in(Client()).status_code == 400


def test_guessing_is_limited_per_address_and_account(alice: Any, bob: Any) -> None:
    client = Client()
    for _ in range(attempts.WRONG_PER_ACCOUNT):
        assert _sign_in(client, "wrong horse battery").status_code == 400
    refused = _sign_in(client)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert "Too many wrong passwords" in _page(refused)
    assert not _is_signed_in(client)
    assert client.post("/sign-in", {"email": "bob@example.org", "password": PASSWORD}).status_code == 302


def test_guessing_over_many_accounts_is_limited_too(alice: Any) -> None:
    client = Client()
    for number in range(attempts.WRONG_PER_ADDRESS):
        attempts.count_wrong("127.0.0.1", f"{number}@example.org")
    assert _sign_in(client).status_code == 429


def test_who_has_a_whole_network_is_one_guesser(alice: Any) -> None:
    for number in range(attempts.WRONG_PER_ACCOUNT):
        guesser = Client(REMOTE_ADDR=f"2001:db8:0:7:{number:x}::{number:x}")
        assert _sign_in(guesser, "wrong horse battery").status_code == 400
    assert _sign_in(Client(REMOTE_ADDR="2001:db8:0:7::ffff")).status_code == 429
    assert _sign_in(Client(REMOTE_ADDR="2001:db8:0:8::1")).status_code == 302


def test_all_of_a_network_guessing_over_many_accounts_is_limited_too(alice: Any) -> None:
    for number in range(attempts.WRONG_PER_ADDRESS):
        attempts.count_wrong(f"2001:db8:0:7::{number:x}", f"{number}@example.org")
    assert _sign_in(Client(REMOTE_ADDR="2001:db8:0:7::ffff")).status_code == 429


@pytest.mark.parametrize("address", ["192.0.2.{}", "::ffff:192.0.2.{}"])
def test_neighbours_in_ipv4_are_not_one(alice: Any, address: str) -> None:
    for _ in range(attempts.WRONG_PER_ACCOUNT):
        attempts.count_wrong(address.format(1), "alice@example.org")
    assert _sign_in(Client(REMOTE_ADDR=address.format(1))).status_code == 429
    assert _sign_in(Client(REMOTE_ADDR=address.format(2))).status_code == 302


def test_guessing_one_account_from_everywhere_is_limited_even_when_its_owner_comes_in_between(
    alice: Any, bob: Any
) -> None:
    for number in range(attempts.WRONG_FROM_ANYWHERE):
        attempts.count_wrong(f"2001:db8:0:{number:x}::1", "Alice@example.org ")
        attempts.forget_wrong("192.0.2.7", "alice@example.org")
    assert _sign_in(Client(REMOTE_ADDR="192.0.2.7")).status_code == 429
    other = {"email": "bob@example.org", "password": PASSWORD}
    assert Client(REMOTE_ADDR="192.0.2.7").post("/sign-in", other).status_code == 302


def test_the_right_password_makes_the_count_start_anew(alice: Any) -> None:
    client = Client()
    for _ in range(attempts.WRONG_PER_ACCOUNT - 1):
        _sign_in(client, "wrong horse battery")
    _sign_in(client)
    client.post("/sign-out")
    assert _sign_in(client, "wrong horse battery").status_code == 400


def _trail() -> list[tuple[str, str, Any]]:
    found = Activity.objects.filter(product=None, verb__contains="sign").order_by("pk")
    return [(each.verb, each.subject_label, each.after) for each in found]


def test_coming_and_going_leaves_a_trail(alice: Any) -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    _sign_in(client, "wrong horse battery")
    _sign_in(client)
    client.post("/sign-out")
    client.post("/sign-out")  # nobody is there to leave
    client.post(f"/sign-in/{services.issue_sign_in_link(alice)}")
    assert _trail() == [
        ("fail_to_sign_in", "Alice", {"address": "192.0.2.7", "wrong": 1}),
        ("sign_in", "Alice", {"address": "192.0.2.7", "by": "password"}),
        ("sign_out", "Alice", {"address": "192.0.2.7"}),
        ("sign_in", "Alice", {"address": "192.0.2.7", "by": "link"}),
    ]
    page = _page(client.get("/password"))
    assert "Wrong password" in page
    assert "Signed in by link" in page
    assert page.count("192.0.2.7") == 4


def test_the_trail_holds_nothing_that_was_typed(alice: Any) -> None:
    _sign_in(Client(), "wrong horse battery")
    Client().post("/sign-in", {"email": PASSWORD, "password": "in the wrong field"})
    _sign_in(Client())
    told = str(list(Activity.objects.values()))
    assert "horse" not in told
    assert "wrong field" not in told
    assert ("fail_to_sign_in", "an unknown account", {"address": "127.0.0.1", "wrong": 1}) in _trail()


def test_guessing_does_not_fill_the_trail(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(attempts.WRONG_PER_ACCOUNT + 5):
        _sign_in(Client(), "wrong horse battery")
    assert [after["wrong"] for _, _, after in _trail()] == [1, attempts.WRONG_PER_ACCOUNT]
    for number in range(20):
        Client().post("/sign-in", {"email": f"{number}@example.org", "password": "x"})
    assert len(_trail()) == 4, "all that are no account count as one"
    monkeypatch.setattr(attempts, "RECORDED_IN_WINDOW", 10)
    for number in range(50):
        _sign_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), "wrong horse battery")
    assert len(_trail()) == 10


def test_guessing_the_old_password_is_limited_too(as_alice: Any) -> None:
    change = {"old": "wrong horse battery", "new": "another long password"}
    for _ in range(attempts.WRONG_PER_ACCOUNT):
        assert as_alice.post("/password", change).status_code == 400
    assert as_alice.post("/password", {**change, "old": PASSWORD}).status_code == 429


def test_a_page_asks_to_sign_in_and_comes_back(alice: Any, product: Any) -> None:
    client = Client()
    asked = client.get("/p/sprout/settings?x=1")
    assert asked["Location"] == "/sign-in?next=/p/sprout/settings%3Fx%3D1"
    assert "/p/sprout/settings?x=1" in _page(client.get(asked["Location"]))
    assert _sign_in(client, next="/p/sprout/settings?x=1")["Location"] == "/p/sprout/settings?x=1"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "\tx://y",
    ],
)
def test_signing_in_leads_to_no_other_host(elsewhere: str, alice: Any) -> None:
    client = Client()
    assert "evil" not in _page(client.get("/sign-in", {"next": elsewhere}))
    assert _sign_in(client, next=elsewhere)["Location"] == "/"
    assert client.get("/sign-in", {"next": elsewhere})["Location"] == "/"  # signed in already


# Sign-in by link


def test_looking_at_a_link_does_not_use_it(alice: Any, product: Any) -> None:
    link = f"/sign-in/{services.issue_sign_in_link(alice)}"
    preview, client = Client(), Client()
    assert preview.get(link).status_code == 200
    assert preview.head(link).status_code == 200
    assert not _is_signed_in(preview)
    assert client.post(link)["Location"] == "/"
    assert _is_signed_in(client)


def test_a_link_signs_in_once(alice: Any) -> None:
    link = f"/sign-in/{services.issue_sign_in_link(alice)}"
    assert Client().post(link).status_code == 302
    again = Client()
    for response in (again.get(link), again.post(link)):
        assert response.status_code == 404
        assert "Make a new one on the server: whytree sign-in" in _page(response)
    assert not _is_signed_in(again)


def test_who_comes_by_link_without_a_password_is_asked_to_choose_one(product: Any) -> None:
    user = services.ensure_user(email="dora@example.org")
    client = Client()
    page = _page(client.post(f"/sign-in/{services.issue_sign_in_link(user)}", {"next": "/products"}, follow=True))
    assert '<a href="/password">choose a password</a>' in page
    assert client.post("/password", {"new": "a new long password"}).status_code == 302
    assert User.objects.get(pk=user.pk).check_password("a new long password")


# Password


def test_changing_the_password_keeps_this_browser_and_ends_the_others(alice: Any, product: Any) -> None:
    here, there = Client(), Client()
    _sign_in(here)
    _sign_in(there)
    assert here.post("/password", {"old": PASSWORD, "new": "another long password"})["Location"] == "/password"
    assert _is_signed_in(here)
    assert not _is_signed_in(there)
    assert _sign_in(there, "another long password").status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("wrong", "another long password", "That is not your password."),
        (PASSWORD, "short", "too short"),
        (PASSWORD, "password123", "too common"),
    ],
)
def test_a_bad_change_of_password_is_refused(as_alice: Any, old: str, new: str, sentence: str) -> None:
    response = as_alice.post("/password", {"old": old, "new": new})
    assert response.status_code == 400
    assert sentence in _page(response)


# Invitations


@pytest.fixture
def invite(actor: Any, product: Any) -> Callable[..., str]:
    def link(role: str = "member", email: str = "") -> str:
        return f"/invite/{services.invite_member(actor, product, role=role, email=email)[1]}"

    return link


DORA = {"email": "dora@example.org", "name": "Dora", "password": PASSWORD, "discipline": "support"}


def test_an_invitation_makes_an_account_and_a_member_once(invite: Callable[..., str]) -> None:
    link, client = invite("viewer"), Client()
    assert "Alice invites you to Sprout." in _page(client.get(link))
    assert client.post(link, DORA)["Location"] == "/p/sprout/today"
    membership = Membership.objects.get(user__email="dora@example.org")
    assert (membership.role, membership.discipline) == ("viewer", "support")
    assert _is_signed_in(client)
    second = Client().post(link, {**DORA, "email": "eve@example.org"})
    assert second.status_code == 404
    assert "Ask for a new one." in _page(second)


def test_somebody_with_an_account_joins_with_it(invite: Callable[..., str], as_charlie: Any) -> None:
    link = invite()
    assert "Join as Charlie" in _page(as_charlie.get(link))
    as_charlie.post(link, {"discipline": "design"})
    assert Membership.objects.get(user__email="charlie@example.org", product__slug="sprout").role == "member"


def test_an_address_that_has_an_account_must_sign_in_first(invite: Callable[..., str], charlie: Any) -> None:
    link = invite()
    response = Client().post(link, {**DORA, "email": "charlie@example.org"})
    assert response.status_code == 400
    assert "Sign in first, then open the link again." in _page(response)
    assert Invitation.objects.get().used_at is None, "a refused form must not use the invitation up"


def test_a_bad_password_does_not_use_the_invitation_up(invite: Callable[..., str]) -> None:
    link = invite()
    assert Client().post(link, {**DORA, "password": "short"}).status_code == 400
    assert Client().post(link, DORA).status_code == 302


# What stands around every page


def test_forms_need_the_csrf_token(alice: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    for path in ("/sign-in", "/sign-out"):
        response = client.post(path, {"email": "alice@example.org", "password": PASSWORD})
        assert response.status_code == 403
        assert "This form is too old" in _page(response)
    assert not _is_signed_in(client)


@pytest.mark.parametrize("path", ["/sign-in", "/products", "/p/sprout/settings", "/p/sprout/activity", "/nowhere"])
def test_every_page_forbids_scripts_that_are_not_ours(as_alice: Any, path: str) -> None:
    policy = as_alice.get(path)["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy


def test_an_htmx_request_gets_its_error_as_a_sentence(as_alice: Any) -> None:
    response = as_alice.get("/p/nowhere/settings", headers={"HX-Request": "true"})
    assert response.status_code == 404
    assert _page(response).startswith("<p data-error-toast>There is no such product here")
