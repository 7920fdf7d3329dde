"""A code of one's phone beside the password: set up, asked for, used once, lost and taken away."""

import base64
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from django.core.cache import cache
from django.test import Client

from whytree.site import accounts
from whytree.workspace import services
from whytree.workspace.archive import _rows
from whytree.workspace.background.fresh import forget_everything
from whytree.workspace.entry import entering
from whytree.workspace.entry import second_factor as factors
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Activity, RecoveryCode, SecondFactor, User

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
NOON = 1_800_000_000 // 30 * 30


class Clock:
    """The server's; `secret` is what the phone knows."""

    def __init__(self) -> None:
        self.now = float(NOON)
        self.secret = ""

    def time(self) -> float:
        return self.now

    def code(self, steps: int = 0) -> str:
        return pyotp.TOTP(self.secret).at(int(self.now), counter_offset=steps)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(factors, "time", clock)
    return clock


@pytest.fixture
def codes(alice: Any, product: Any, clock: Clock) -> list[str]:
    """Alice has a second factor; her recovery codes. The code she set it up with is half a minute old."""
    seed = factors.new_seed()
    clock.secret = factors.offer(alice, seed).secret
    made = factors.turn_on(actor_of_user(alice), alice, seed=seed, code=clock.code(), password=PASSWORD)
    clock.now += 30
    return made


@pytest.fixture
def half_in(codes: list[str]) -> Client:
    client = Client(REMOTE_ADDR="192.0.2.7")
    assert _password(client)["Location"] == "/sign-in/code"
    return client


def _password(client: Client, **more: str) -> Any:
    return client.post("/sign-in", {"email": "alice@example.org", "password": PASSWORD, **more})


def _is_signed_in(client: Client) -> bool:
    return client.get("/products").status_code == 200


def _page(response: Any) -> str:
    return str(response.content.decode())


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B: at 59 seconds 94287082, of which apps show the last six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # "12345678901234567890"
    assert pyotp.TOTP(secret, interval=factors.STEP_SECONDS).at(59) == "287082"


def test_it_is_set_up_by_a_code_of_the_app_and_the_password(as_alice: Any, clock: Clock) -> None:
    page = _page(as_alice.get("/second-factor"))
    clock.secret = factors.offer(User.objects.get(), as_alice.session["second_factor_seed"]).secret
    assert clock.secret in page
    assert "<svg" in page
    assert clock.secret in _page(as_alice.get("/second-factor")), "another look is no other secret"
    for wrong in ({"code": clock.code(2)}, {"password": "wrong horse battery"}, {"code": ""}, {"code": "x" * 9000}):
        refused = as_alice.post("/second-factor", {"code": clock.code(), "password": PASSWORD, **wrong})
        assert refused.status_code == 400
    assert not SecondFactor.objects.exists()
    made = _page(as_alice.post("/second-factor", {"code": clock.code(), "password": PASSWORD}))
    assert made.count("<span>") == 10
    assert "10 recovery codes left" in made
    assert clock.secret not in made
    again = as_alice.post("/second-factor", {"code": clock.code(), "password": PASSWORD})
    assert again.status_code == 400
    assert "on already" in _page(again)
    assert _is_signed_in(as_alice)


def test_browsers_that_came_in_without_a_code_are_signed_out(alice: Any, product: Any, clock: Clock) -> None:
    here, there = _signed_in_as(alice), _signed_in_as(alice)
    here.get("/second-factor")
    clock.secret = factors.offer(alice, here.session["second_factor_seed"]).secret
    assert "All other browsers are signed out" in _page(
        here.post("/second-factor", {"code": clock.code(), "password": PASSWORD})
    )
    assert _is_signed_in(here)
    assert not _is_signed_in(there)


def test_all_other_browsers_are_signed_out_when_asked_to(alice: Any, product: Any) -> None:
    here, there = _signed_in_as(alice), _signed_in_as(alice)
    assert here.post("/sign-out/others", REMOTE_ADDR="192.0.2.7")["Location"] == "/password"
    assert _is_signed_in(here)
    assert not _is_signed_in(there)
    page = _page(here.get("/password"))
    assert "Signed out everywhere" in page
    assert "192.0.2.7" in page


def test_who_has_no_password_chooses_one_by_a_code(codes: list[str], alice: Any, clock: Clock) -> None:
    """Else a browser left open would be enough: to choose one, and by it to turn the second factor off."""
    alice.set_unusable_password()
    alice.save()
    client = _signed_in_as(alice)
    assert "A code of your app" in _page(client.get("/password"))
    for old in ("", "123456"):
        assert client.post("/password", {"old": old, "new": "another long password"}).status_code == 400
    assert client.post("/password", {"old": clock.code(), "new": "another long password"}).status_code == 302
    assert _is_signed_in(client)


def test_the_password_alone_is_not_enough(half_in: Client, clock: Clock) -> None:
    assert not _is_signed_in(half_in)
    assert half_in.get("/sign-in/code").status_code == 200
    assert half_in.post("/sign-in/code", {"code": clock.code()})["Location"] == "/"
    assert _is_signed_in(half_in)
    told = Activity.objects.filter(verb="sign_in").get()
    assert told.after == {"address": "192.0.2.7", "by": "password and code"}


def test_one_comes_back_to_where_one_was_going(codes: list[str], clock: Clock) -> None:
    client = Client()
    asked = _password(client, next="/p/sprout/tree?x=1")["Location"]
    assert asked == "/sign-in/code?next=%2Fp%2Fsprout%2Ftree%3Fx%3D1"
    assert "/p/sprout/tree?x=1" in _page(client.get(asked))
    sent = client.post(asked, {"code": clock.code(), "next": "/p/sprout/tree?x=1"})
    assert sent["Location"] == "/p/sprout/tree?x=1"


def test_a_link_is_not_enough_either(codes: list[str], alice: Any, clock: Clock) -> None:
    client = Client()
    assert client.post(f"/sign-in/{services.issue_sign_in_link(alice)}")["Location"] == "/sign-in/code"
    assert not _is_signed_in(client)
    client.post("/sign-in/code", {"code": clock.code()})
    assert _is_signed_in(client)


@pytest.mark.parametrize(("steps", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_phones_clock_may_be_half_a_minute_off(steps: int, fits: bool, half_in: Client, clock: Clock) -> None:
    clock.now += 60  # clear of the code it was set up with
    assert (half_in.post("/sign-in/code", {"code": clock.code(steps)}).status_code == 302) is fits


def test_a_code_opens_once_and_so_does_none_before_it(half_in: Client, clock: Clock) -> None:
    clock.now += 60
    used, earlier = clock.code(), clock.code(-1)
    half_in.post("/sign-in/code", {"code": f" {used[:3]} {used[3:]} "})
    other = Client()
    _password(other)
    for code in (used, earlier):
        refused = other.post("/sign-in/code", {"code": code})
        assert refused.status_code == 400
        assert "does not fit, or was used" in _page(refused)


def test_a_recovery_code_opens_once(half_in: Client, codes: list[str]) -> None:
    assert half_in.post("/sign-in/code", {"code": codes[0].upper()}).status_code == 302
    other = Client()
    _password(other)
    assert other.post("/sign-in/code", {"code": codes[0]}).status_code == 400
    assert other.post("/sign-in/code", {"code": codes[1]}).status_code == 302
    assert "8 recovery codes left" in _page(other.get("/second-factor"))


@pytest.mark.parametrize("code", ["", "x", "1234567", "٠١٢٣٤٥", "0" * 5000, "\x00", "’; DROP"])
def test_what_is_no_code_is_refused(code: str, half_in: Client) -> None:
    assert half_in.post("/sign-in/code", {"code": code}).status_code == 400


def test_guessing_codes_is_limited_from_wherever(codes: list[str], clock: Clock) -> None:
    for number in range(factors.WRONG_IN_WINDOW):
        guesser = Client(REMOTE_ADDR=f"192.0.2.{number}")
        _password(guesser)
        assert guesser.post("/sign-in/code", {"code": "000000"}).status_code == 400
    refused = guesser.post("/sign-in/code", {"code": clock.code()})
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert not _is_signed_in(guesser)
    tried = Activity.objects.filter(verb="fail_to_sign_in").order_by("pk")
    assert tried[0].after == {"address": "192.0.2.0", "code": True}
    assert "Wrong code" in _page(_signed_in_as(User.objects.get()).get("/password"))


def _signed_in_as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_what_is_kept_meanwhile_lets_no_guess_be_forgotten(half_in: Client, clock: Clock) -> None:
    """Answers fill the memory of a server, and an erasure empties it."""
    for _ in range(factors.WRONG_IN_WINDOW):
        assert half_in.post("/sign-in/code", {"code": "000000"}).status_code == 400
    for number in range(6_000):
        cache.set(f"answer:{number}", number)
    forget_everything()
    assert half_in.post("/sign-in/code", {"code": clock.code()}).status_code == 429


def test_right_codes_are_no_guesses(codes: list[str], clock: Clock) -> None:
    for _ in range(factors.WRONG_IN_WINDOW + 2):
        client = Client()
        _password(client)
        assert client.post("/sign-in/code", {"code": clock.code()}).status_code == 302
        clock.now += 30


@pytest.mark.parametrize("change", ["time", "password", "closed", "never"])
def test_the_second_step_follows_the_first_at_once(
    change: str, half_in: Client, alice: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    if change == "time":
        monkeypatch.setattr("whytree.workspace.pages.entry.SECOND_STEP_SECONDS", -1)
        _password(half_in)
    elif change == "password":
        entering.change_password(actor_of_user(alice), alice, proof=PASSWORD, new="another long password")
    elif change == "closed":
        User.objects.update(is_active=False)
    client = Client() if change == "never" else half_in
    for sent in (client.get("/sign-in/code"), client.post("/sign-in/code", {"code": clock.code()})):
        assert sent["Location"] == "/sign-in"
    assert not _is_signed_in(client)


def test_where_everybody_needs_one_it_is_set_up_on_the_way_in(
    alice: Any, product: Any, clock: Clock, settings: Any
) -> None:
    settings.WHYTREE = replace(settings.WHYTREE, second_factor=True)
    client = Client()
    asked = _password(client, next="/tokens")["Location"]
    assert "First, a second factor." in _page(client.get(asked))
    assert not _is_signed_in(client)
    clock.secret = factors.offer(alice, client.session["second_factor_seed"]).secret
    assert client.post(asked, {"code": clock.code(3), "next": "/tokens"}).status_code == 400
    assert not _is_signed_in(client)
    made = _page(client.post(asked, {"code": clock.code(), "next": "/tokens"}))
    assert made.count("<span>") == 10
    assert '<a class="btn primary" href="/tokens">' in made
    assert _is_signed_in(client)
    clock.now += 30
    again = Client()
    _password(again)
    assert again.post("/sign-in/code", {"code": clock.code()})["Location"] == "/"


def test_who_joins_where_everybody_needs_one_sets_it_up_too(actor: Any, product: Any, settings: Any) -> None:
    settings.WHYTREE = replace(settings.WHYTREE, second_factor=True)
    _, token = services.invite_member(actor, product, role="member")
    dora = {"email": "dora@example.org", "name": "Dora", "password": PASSWORD}
    client = Client()
    assert client.post(f"/invite/{token}", dora)["Location"] == "/sign-in/code?next=%2Fp%2Fsprout%2Ftoday"
    assert not _is_signed_in(client)


def test_turning_it_off_takes_the_password(codes: list[str], alice: Any) -> None:
    client = _signed_in_as(alice)
    assert client.post("/second-factor/off", {"proof": "wrong horse battery"}).status_code == 400
    assert SecondFactor.objects.exists()
    assert client.post("/second-factor/off", {"proof": PASSWORD})["Location"] == "/second-factor"
    assert _password(Client())["Location"] == "/"
    assert client.post("/second-factor/off", {"proof": PASSWORD}).status_code == 400  # off already
    assert "Turned off second factor" in _page(client.get("/password"))


def test_an_account_without_a_password_proves_itself_by_a_code(codes: list[str], alice: Any, clock: Clock) -> None:
    alice.set_unusable_password()
    alice.save()
    client = _signed_in_as(alice)
    assert client.post("/second-factor/off", {"proof": ""}).status_code == 400
    assert client.post("/second-factor/off", {"proof": clock.code()}).status_code == 302


def test_new_recovery_codes_end_the_old_ones(codes: list[str], alice: Any, half_in: Client) -> None:
    client = _signed_in_as(alice)
    assert client.post("/second-factor/codes", {"proof": "wrong"}).status_code == 400
    made = client.post("/second-factor/codes", {"proof": PASSWORD})
    assert _page(made).count("<span>") == 10
    assert half_in.post("/sign-in/code", {"code": codes[0]}).status_code == 400
    assert RecoveryCode.objects.count() == 10


def test_nobody_changes_anothers(codes: list[str], alice: Any, bob: Any) -> None:
    with pytest.raises(Exception, match="Only you"):
        factors.turn_off(actor_of_user(bob), alice, proof=PASSWORD)
    for address in ("/second-factor", "/second-factor/off", "/second-factor/codes"):
        assert Client().post(address)["Location"].startswith("/sign-in?next=")


def test_a_lost_one_is_taken_away_on_the_server(codes: list[str], alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "prepare", lambda: None)
    on_the_phone, client = _signed_in_as(alice), Client()
    link = accounts.sign_in_link("alice@example.org", reset=True)["link"]
    assert not _is_signed_in(on_the_phone)
    assert client.post("/sign-in/" + link.rpartition("/")[2]).status_code == 302
    assert _is_signed_in(client)
    assert "Turned off second factor by the server" in _page(client.get("/password"))


def test_neither_the_database_nor_the_trail_nor_a_backup_holds_the_secret(
    codes: list[str], clock: Clock, half_in: Client
) -> None:
    half_in.post("/sign-in/code", {"code": codes[0]})
    kept = b"".join(row for model in (SecondFactor, RecoveryCode, Activity, User) for row in _rows(model)).decode()
    assert SecondFactor.objects.get().seed in kept
    for secret in (clock.secret, base64.b32decode(clock.secret).hex(), codes[0], codes[1]):
        assert secret.lower() not in kept.lower()
        assert secret.replace("-", "").lower() not in kept.lower()
    assert "seed" not in str(list(Activity.objects.values("before", "after")))


def test_with_another_secret_key_recovery_codes_still_open(
    half_in: Client, codes: list[str], clock: Clock, settings: Any
) -> None:
    settings.SECRET_KEY = "of the server that a backup was restored on"
    client = Client()
    _password(client)
    refused = client.post("/sign-in/code", {"code": clock.code()})
    assert refused.status_code == 400
    assert "secret key is another one" in _page(refused)
    assert client.post("/sign-in/code", {"code": codes[0]}).status_code == 302


def test_tokens_ask_for_no_code(codes: list[str], api: Any) -> None:
    assert api.get("/me").ok["name"] == "Alice"
