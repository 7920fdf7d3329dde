"""What belongs to the person who is signed in: tokens and the password."""

from typing import cast

from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from whytree.errors import Invalid
from whytree.workspace import queries
from whytree.workspace.entry import entering, keys, second_factor
from whytree.workspace.entry.doors import PageRequest, signed_in
from whytree.workspace.models import User

from .attempt import Attempt, done
from .entry import address_of, asker_of, ways_in

COMINGS_SHOWN = 10

# What a token may do, as the form offers it: value, words, scopes. Empty scopes mean all that the person may.
TOKEN_SCOPES: tuple[tuple[str, str, list[str]], ...] = (
    ("all", "Everything you may do", []),
    ("read", "Read only", ["read"]),
)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def tokens(request: PageRequest) -> HttpResponse:
    """Your personal tokens; a new one is shown once."""
    attempt = Attempt(request)
    secret = ""
    if request.method == "POST":
        with attempt:
            _, secret = keys.create_token(
                request.actor, name=_name(request), scopes=_scopes(request.POST.get("scope", ""))
            )
    return attempt.page(
        "workspace/tokens.html",
        {
            "here": "account",
            "tokens": queries.tokens_of(_user(request)),
            "scopes": TOKEN_SCOPES,
            "secret": secret,
            "address": address_of(request),
        },
    )


def _name(request: PageRequest) -> str:
    name = request.POST.get("name", "").strip()
    if not name:
        raise Invalid("Say what the token is for, so that you know later which one to revoke.")
    return name


def _scopes(chosen: str) -> list[str]:
    return next((scopes for value, _, scopes in TOKEN_SCOPES if value == chosen), [chosen])


def _user(request: PageRequest) -> User:
    return cast(User, request.user)  # `signed_in` lets nobody else through


@require_POST
@signed_in
def revoke_token(request: PageRequest, key_id: int) -> HttpResponse:
    key = keys.revoke_key(request.actor, key_id)
    return done(request, f"The token {key.name} is revoked.", "tokens")


@require_POST
@signed_in
def sign_out_others(request: PageRequest) -> HttpResponse:
    user = _user(request)
    entering.sign_out_others(asker_of(request), user)
    update_session_auth_hash(request, user)
    return done(request, "All other browsers are signed out. Tokens stay: revoke those you do not know.", "password")


@never_cache
@sensitive_post_parameters("old", "new")
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def password(request: PageRequest) -> HttpResponse:
    """Change one's own password; this browser stays signed in, all others are signed out."""
    user = _user(request)
    attempt = Attempt(request)
    if request.method == "POST":
        with attempt:
            entering.change_password(
                request.actor, user, proof=request.POST.get("old", ""), new=request.POST.get("new", "")
            )
            update_session_auth_hash(request, user)
            return done(request, "Your password is changed. Other browsers are signed out.", "password")
    return attempt.page(
        "workspace/password.html",
        {
            "here": "account",
            "has_password": user.has_usable_password(),
            "has_factor": second_factor.factor_of(user) is not None,
            **ways_in(),
            "comings": entering.comings_and_goings(user)[:COMINGS_SHOWN],
        },
    )
