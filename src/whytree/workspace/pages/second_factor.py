"""The second factor of the person who is signed in: set it up, new recovery codes, turn it off."""

from typing import Any, cast

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from whytree.workspace.entry import second_factor as factors
from whytree.workspace.entry.doors import PageRequest, signed_in
from whytree.workspace.models import User
from whytree.workspace.services import has_password

from .attempt import Attempt, done

SEED = "second_factor_seed"  # in the session: what is shown now, until a code proves that an app has taken it over


@never_cache
@sensitive_post_parameters("code", "password")
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def second_factor(request: PageRequest) -> HttpResponse:
    """What signing in asks for; posting a code of the app turns it on and shows the recovery codes once."""
    attempt = Attempt(request)
    codes: list[str] = []
    if request.method == "POST":
        with attempt:
            codes = factors.turn_on(
                request.actor,
                _user(request),
                seed=request.session.get(SEED, ""),
                code=request.POST.get("code", ""),
                password=request.POST.get("password", ""),
            )
            request.session.pop(SEED, None)
            update_session_auth_hash(request, _user(request))
    return factor_page(request, attempt, codes)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)  # `signed_in` lets nobody else through


def factor_page(
    request: HttpRequest, attempt: Attempt, codes: list[str] | None = None, *, go_on: str = ""
) -> HttpResponse:
    """The page; with fresh `codes`, and where somebody was going who set it up on the way in."""
    user = _user(request)
    factor = factors.factor_of(user)
    context: dict[str, Any] = {
        "here": "account",
        "factor": factor,
        "codes": codes,
        "go_on": go_on,
        "codes_left": factors.codes_left(factor) if factor else 0,
        "has_password": has_password(user),
    }
    if factor is None:
        seed = request.session.setdefault(SEED, factors.new_seed())
        context["offer"] = factors.offer(user, seed)
    return attempt.page("workspace/second_factor.html", context)


@never_cache
@sensitive_post_parameters("proof")
@require_POST
@signed_in
def renew_codes(request: PageRequest) -> HttpResponse:
    attempt = Attempt(request)
    codes: list[str] = []
    with attempt:
        codes = factors.renew_codes(request.actor, _user(request), proof=request.POST.get("proof", ""))
    return factor_page(request, attempt, codes)


@sensitive_post_parameters("proof")
@require_POST
@signed_in
def turn_off(request: PageRequest) -> HttpResponse:
    attempt = Attempt(request)
    with attempt:
        factors.turn_off(request.actor, _user(request), proof=request.POST.get("proof", ""))
        return done(request, "Signing in asks for no code any more.", "second_factor")
    return factor_page(request, attempt)
