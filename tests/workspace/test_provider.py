"""Signing in through an OpenID provider: a real one on loopback, which may also lie."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest
from django.contrib.sessions.models import Session
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from tests.workspace.openid_provider import CLIENT, SECRET, Provider, openid_provider, signing_key
from whytree import options
from whytree.site import accounts
from whytree.workspace import services
from whytree.workspace.background import sessions
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Activity, Invitation, Membership, ProviderAccount, User
from whytree.workspace.provider import openid

pytestmark = pytest.mark.django_db

ALICE = {"sub": "a-1", "email": "Alice@example.org", "email_verified": True, "name": "Alice of the provider"}
DORA = {"sub": "d-1", "email": "dora@example.org", "email_verified": True, "name": "Dora"}


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    with openid_provider() as provider:
        provider.person = dict(ALICE)
        settings.WHYTREE = replace(
            settings.WHYTREE,
            oidc_issuer=provider.url,
            oidc_client_id=CLIENT,
            oidc_client_secret=SECRET,
            oidc_name="Keyring",
        )
        yield provider


@pytest.fixture
def chosen(settings: Any) -> Callable[..., None]:
    def choose(**more: Any) -> None:
        settings.WHYTREE = replace(settings.WHYTREE, **more)

    return choose


def _begin(client: Client, query: str = "") -> str:
    """To the provider and where it sends the browser."""
    sent = client.get(f"/sign-in/provider{query}")
    assert sent.status_code == 302, sent.content
    back: str = httpx.get(sent["Location"]).headers["Location"]
    return back.removeprefix("http://testserver")


def _come(client: Client, query: str = "") -> Any:
    return client.get(_begin(client, query))


def _is_signed_in(client: Client) -> bool:
    return client.get("/products").status_code == 200


def _page(response: Any) -> str:
    return str(response.content.decode())


# The way there and back


def test_a_verified_address_signs_in_to_the_account_that_is_there(alice: Any, product: Any, provider: Provider) -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    assert "Sign in with Keyring" in _page(client.get("/sign-in?next=/p/sprout/tree%3Fx=1"))
    assert _come(client, "?next=/p/sprout/tree%3Fx=1")["Location"] == "/p/sprout/tree?x=1"
    assert _is_signed_in(client)
    assert ProviderAccount.objects.get().user == alice
    assert User.objects.count() == 1
    told = [(each.verb, each.after) for each in Activity.objects.filter(subject_id=alice.pk, product=None)]
    assert ("tie_to_provider", {"provider": provider.url}) in told
    assert ("sign_in", {"address": "192.0.2.7", "by": "provider"}) in told
    assert "Signed in by provider" in _page(client.get("/password"))


def test_who_was_tied_comes_in_whatever_the_address_is_by_then(alice: Any, product: Any, provider: Provider) -> None:
    _come(Client())
    provider.person |= {"email": "alice.married@example.org", "email_verified": False}
    client = Client()
    assert _come(client)["Location"] == "/"
    assert int(client.session["_auth_user_id"]) == alice.pk
    assert provider.calls.count("/keys") == provider.calls.count("/.well-known/openid-configuration") == 1


def test_a_second_factor_is_asked_for_after_the_provider_too(alice: Any, product: Any, provider: Provider) -> None:
    import pyotp

    from whytree.workspace.entry import second_factor

    seed = second_factor.new_seed()
    app = pyotp.TOTP(second_factor.offer(alice, seed).secret)
    second_factor.turn_on(actor_of_user(alice), alice, seed=seed, code=app.now(), password="correct horse battery")
    client = Client()
    assert _come(client, "?next=/tokens")["Location"] == "/sign-in/code?next=%2Ftokens"
    assert not _is_signed_in(client)


def test_an_answer_is_taken_once_and_by_the_browser_that_asked(alice: Any, provider: Provider) -> None:
    client, other = Client(), Client()
    back = _begin(client)
    assert other.get(back).status_code == 400, "another browser"
    _begin(other)
    assert other.get(back).status_code == 400, "one that asked something else"
    assert client.get(back).status_code == 302
    client.post("/sign-out")
    again = client.get(back)
    assert again.status_code == 400
    assert "Begin again" in _page(again)
    assert not _is_signed_in(client)


def test_what_was_begun_long_ago_is_not_finished(
    alice: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openid, "UNDER_WAY_SECONDS", -1)
    assert _come(Client()).status_code == 400


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("error=access_denied", "access_denied"),
        ("error=<b>hostile</b>&error_description=send+us+your+password", "no reason given"),
        ("code=made-up", "invalid_grant"),
        ("code=x&iss=https://evil.example", "another provider"),
        ("", "no reason given"),
    ],
)
def test_an_answer_that_is_none_leads_back_to_the_sign_in_page(
    query: str, sentence: str, alice: Any, provider: Provider
) -> None:
    client = Client()
    state = httpx.URL(_begin(client)).params["state"]
    refused = client.get(f"/sign-in/provider/back?state={state}&{query}")
    assert refused.status_code == 400
    assert sentence in _page(refused)
    assert "password" not in _page(refused).partition('role="alert">')[2].partition("<")[0]
    assert "Sign in with Keyring" in _page(refused)


def test_of_who_turns_back_there_nothing_stays(alice: Any, product: Any, provider: Provider) -> None:
    """Anybody may begin: a month of their sessions would fill the table."""
    turned_back, stayed = Client(), Client()
    turned_back.get("/sign-in/provider")
    _come(stayed)
    days = sorted((session.expire_date - timezone.now()).total_seconds() / 86_400 for session in Session.objects.all())
    assert days == [pytest.approx(1 / 144, abs=0.005), pytest.approx(30, abs=0.1)]
    Session.objects.filter(session_key=turned_back.session.session_key).update(expire_date=timezone.now())
    sessions.forget_sessions({})
    assert Session.objects.get().session_key == stayed.session.session_key


def test_it_leads_to_no_other_host_afterwards(alice: Any, provider: Provider) -> None:
    assert _come(Client(), "?next=https://evil.example/")["Location"] == "/"
    assert _come(Client(), "?next=/tokens")["Location"] == "/tokens"


# What an id_token must be


def _unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "", "none")


def _with_our_secret(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, SECRET.ljust(32), "HS256", headers={"kid": "one"})


def _with_the_public_key(claims: dict[str, Any]) -> str:
    """What a library takes that lets the token choose how it is checked: HMAC with the public key as its secret."""
    head, body = ({"alg": "HS256", "kid": "one", "typ": "JWT"}, claims)
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, body)]
    pem = jwt.algorithms.RSAAlgorithm.to_jwk(signing_key("one").public_key()).encode()
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(b".".join(parts), pem)
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


def _with_another_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, signing_key("mallory"), "RS256", headers={"kid": "one"})


@pytest.mark.parametrize(
    "sign", [_unsigned, _with_our_secret, _with_the_public_key, _with_another_key, lambda said: "x.y"]
)
def test_a_token_that_the_provider_has_not_signed_is_refused(
    sign: Callable[[dict[str, Any]], str], alice: Any, provider: Provider
) -> None:
    provider.sign = sign
    client = Client()
    refused = _come(client)
    assert refused.status_code == 400
    assert "cannot be believed" in _page(refused)
    assert not ProviderAccount.objects.exists()


@pytest.mark.parametrize(
    "lie",
    [
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"iss": "https://evil.example"},
        {"exp": int(time.time()) - 3600},
        {"iat": int(time.time()) + 36_000, "exp": int(time.time()) + 40_000},
        {"nonce": "of another sign-in"},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"nonce": None},
        {"exp": None},
        {"sub": None},
    ],
)
def test_a_token_that_says_what_it_must_not_is_refused(lie: dict[str, Any], alice: Any, provider: Provider) -> None:
    provider.twist = lambda claims: {name: said for name, said in (claims | lie).items() if said is not None}
    refused = _come(Client())
    assert refused.status_code == 400
    assert not ProviderAccount.objects.exists()


def test_a_new_key_of_the_provider_is_asked_for(alice: Any, provider: Provider) -> None:
    _come(Client())
    provider.key = "two"
    refused = _come(Client())
    assert refused.status_code == 400, "its keys were asked for a moment ago"
    from django.core.cache import cache

    cache.delete("oidc:asked-for-keys")
    assert _come(Client()).status_code == 302
    assert provider.calls.count("/keys") == 2


def test_the_address_may_be_told_by_userinfo_of_the_same_person(alice: Any, product: Any, provider: Provider) -> None:
    provider.person = {"sub": "a-1"}
    provider.userinfo = ALICE | {"sub": "somebody else"}
    assert "does not tell your e-mail address" in _page(_come(Client()))
    provider.userinfo = dict(ALICE)
    assert _come(Client())["Location"] == "/"


# Whose account it is


@pytest.mark.parametrize("verified", [{"email_verified": False}, {"email_verified": None}, {"email_verified": "no"}])
def test_an_address_that_is_not_verified_opens_no_account(
    verified: dict[str, Any], alice: Any, provider: Provider
) -> None:
    provider.person |= verified
    refused = _come(Client())
    assert refused.status_code == 409
    assert "has not verified that it is yours" in _page(refused)
    assert not ProviderAccount.objects.exists()


def test_another_person_with_the_same_address_is_refused_until_the_server_says_so(
    alice: Any, product: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    _come(Client())
    provider.person["sub"] = "a-2"
    refused = _come(Client())
    assert refused.status_code == 409
    assert "whytree sign-in EMAIL --reset" in _page(refused)
    monkeypatch.setattr(accounts, "prepare", lambda: None)
    accounts.sign_in_link("alice@example.org", reset=True)
    assert _come(Client())["Location"] == "/"


def test_nobody_comes_in_whom_nobody_invited(alice: Any, product: Any, provider: Provider) -> None:
    provider.person = dict(DORA)
    refused = _come(Client())
    assert refused.status_code == 403
    assert "Nobody has invited dora@example.org yet." in _page(refused)
    assert User.objects.count() == 1


def test_a_closed_account_stays_closed(alice: Any, product: Any, provider: Provider) -> None:
    _come(Client())
    User.objects.update(is_active=False)
    assert _come(Client()).status_code == 403


def test_an_invitations_link_leads_through_the_provider(actor: Any, product: Any, provider: Provider) -> None:
    provider.person = DORA | {"email_verified": False}  # the link is what lets in
    _, token = services.invite_member(actor, product, role="member")
    client = Client()
    assert f"/sign-in/provider?invitation={token}&amp;next=/p/sprout/today" in _page(client.get(f"/invite/{token}"))
    assert _come(client, f"?invitation={token}&next=/p/sprout/today")["Location"] == "/p/sprout/today"
    dora = Membership.objects.get(role="member").user
    assert (dora.email, dora.name, dora.has_usable_password()) == ("dora@example.org", "Dora", False)
    assert Invitation.objects.get().used_at is not None
    provider.person["sub"] = "e-1"
    provider.person["email"] = "eve@example.org"
    assert _come(Client(), f"?invitation={token}").status_code == 404, "used"
    assert _come(Client(), "?invitation=made-up").status_code == 404
    assert not User.objects.filter(email="eve@example.org").exists()


def test_an_invitation_that_names_the_address_is_found_without_its_link(
    actor: Any, product: Any, provider: Provider
) -> None:
    services.invite_member(actor, product, role="maintainer", email="dora@example.org")
    provider.person = DORA | {"email_verified": False}
    assert _come(Client()).status_code == 403
    provider.person = dict(DORA)
    assert _come(Client())["Location"] == "/"
    assert Membership.objects.get(user__email="dora@example.org").role == "maintainer"


def test_the_link_of_an_invitation_may_name_the_address_too(
    actor: Any, product: Any, provider: Provider, chosen: Any
) -> None:
    chosen(oidc_domains=("example.org",), oidc_role="viewer")
    _, token = services.invite_member(actor, product, role="maintainer", email="dora@example.org")
    provider.person = dict(DORA)
    assert _come(Client(), f"?invitation={token}&next=/p/sprout/today")["Location"] == "/p/sprout/today"
    assert Membership.objects.get(user__email="dora@example.org").role == "maintainer", (
        "and not what all of the domain are"
    )


@pytest.mark.parametrize(
    ("email", "verified", "comes_in"),
    [
        ("dora@example.org", True, True),
        ("dora@EXAMPLE.org", True, True),
        ("dora@example.org", False, False),
        ("dora@evil-example.org", True, False),
        ("dora@example.org.evil.net", True, False),
        ("dora@sub.example.org", True, False),
        ("example.org", True, False),
    ],
)
def test_a_domain_may_come_in(
    email: str, verified: bool, comes_in: bool, product: Any, provider: Provider, chosen: Any
) -> None:
    chosen(oidc_domains=("Example.org",), oidc_role="member")
    provider.person = DORA | {"email": email, "email_verified": verified}
    assert (_come(Client()).status_code == 302) is comes_in
    assert Membership.objects.filter(user__email="dora@example.org", role="member").exists() is comes_in


def test_only_a_group_may_come_in(alice: Any, product: Any, provider: Provider, chosen: Any) -> None:
    chosen(oidc_groups=("product", "design"))
    provider.configuration = {"scopes_supported": ["openid", "groups"]}
    for groups in ({}, {"groups": ["sales"]}, {"groups": "product"}, {"groups": [{"name": "product"}]}):
        provider.person = ALICE | groups
        assert _come(Client()).status_code == 403, groups
    provider.person = ALICE | {"groups": ["sales", "design"]}
    client = Client()
    sent = client.get("/sign-in/provider")["Location"]
    assert "groups" in httpx.URL(sent).params["scope"].split()
    assert _come(client)["Location"] == "/"
    provider.person = DORA | {"groups": ["product"], "email_verified": None}
    assert _come(Client())["Location"] == "/"
    assert Membership.objects.get(user__email="dora@example.org").role == "viewer"


# Settings, and a provider that is not well


def test_without_a_provider_there_is_no_button_and_no_door(alice: Any) -> None:
    assert "Sign in with" not in _page(Client().get("/sign-in"))
    for address in ("/sign-in/provider", "/sign-in/provider/back?code=x&state=y"):
        assert Client().get(address).status_code == 404


def test_before_there_is_an_owner_nobody_comes_in(provider: Provider, chosen: Any, db: None) -> None:
    chosen(oidc_domains=("example.org",))
    assert Client().get("/sign-in/provider")["Location"] == "/first-run"


def test_passwords_can_be_switched_off_and_the_server_still_opens(
    alice: Any, product: Any, actor: Any, provider: Provider, chosen: Any
) -> None:
    chosen(passwords=False)
    page = _page(Client().get("/sign-in"))
    assert "Sign in with Keyring" in page
    assert 'type="password"' not in page
    words = {"email": "alice@example.org", "password": "correct horse battery"}
    assert Client().post("/sign-in", words).status_code == 403
    _, token = services.invite_member(actor, product, role="member")
    assert 'type="password"' not in _page(Client().get(f"/invite/{token}"))
    joined = Client().post(f"/invite/{token}", {"email": "e@example.org", "name": "E", "password": "a long one, this"})
    assert joined.status_code == 403
    assert not User.objects.filter(email="e@example.org").exists()
    client = Client()
    client.post(f"/sign-in/{services.issue_sign_in_link(alice)}")
    assert _is_signed_in(client)
    page = _page(client.get("/password"))
    assert "Passwords are switched off" in page
    assert 'name="new"' not in page
    assert client.post("/password", {"old": words["password"], "new": "a longer password"}).status_code == 403


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"issuer": "https://evil.example"}, "says to be another issuer"),
        ({"token_endpoint": None}, "does not describe itself"),
        ({"jwks_uri": ["x"]}, "does not describe itself"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "without TLS"),
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_used(
    told: dict[str, Any], sentence: str, alice: Any, provider: Provider
) -> None:
    provider.configuration = told
    refused = Client().get("/sign-in/provider")
    assert refused.status_code == 503
    assert sentence in _page(refused)
    assert int(refused["Retry-After"]) > 0


@pytest.mark.parametrize("place", ["token_endpoint", "jwks_uri"])
def test_what_the_provider_names_on_another_host_is_called_only_in_public(
    place: str, alice: Any, provider: Provider
) -> None:
    """The issuer itself may stand on loopback, for its operator says so; nothing that it names elsewhere may."""
    port = provider.url.rpartition(":")[2]
    provider.configuration = {place: f"https://localhost:{port}/keys"}
    refused = _come(Client())
    assert refused.status_code == 400
    assert "private network" in _page(refused)


def test_a_provider_that_is_away_leaves_the_password(alice: Any, provider: Provider, chosen: Any) -> None:
    chosen(oidc_issuer="http://127.0.0.1:9")
    refused = Client().get("/sign-in/provider")
    assert refused.status_code == 503
    assert "does not answer" in _page(refused)
    assert 'name="password"' in _page(refused)


def test_settings_that_leave_no_way_in_are_refused() -> None:
    with pytest.raises(options.OptionError, match="leaves nobody a way in"):
        options.read({"WHYTREE_PASSWORDS": "0"})
    with pytest.raises(options.OptionError, match="needs WHYTREE_OIDC_CLIENT_ID"):
        options.read({"WHYTREE_OIDC_ISSUER": "https://id.example.org"})
    with pytest.raises(options.OptionError, match="viewer, member or maintainer"):
        options.read({"WHYTREE_OIDC_ROLE": "owner"})


def test_doctor_looks_at_the_provider(provider: Provider) -> None:
    from django.conf import settings

    from whytree.site.doctor import _provider

    assert _provider(replace(settings.WHYTREE, public_url="https://why.example")).state == "ok"
    assert _provider(settings.WHYTREE).state == "advice"
    provider.configuration = {"issuer": "https://evil.example"}
    assert _provider(settings.WHYTREE).state == "problem"
    assert _provider(replace(settings.WHYTREE, oidc_issuer="http://127.0.0.1:9")).state == "problem"


def test_who_comes_twice_at_the_same_moment_is_told_to_come_again(
    alice: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(**row: Any) -> None:
        raise IntegrityError("one_user_per_provider_account")

    monkeypatch.setattr(ProviderAccount.objects, "create", meanwhile)
    refused = _come(Client())
    assert refused.status_code == 409
    assert "Sign in once more" in _page(refused)
