"""Coming in and going out: first run, sign-in, sign-in by link, invitation, sign-out."""

import time
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from whytree.errors import NotFound, TooMany
from whytree.workspace import queries, services
from whytree.workspace.entry import entering, second_factor
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import User
from whytree.workspace.provider import openid
from whytree.workspace.rights.roles import Discipline

from .attempt import Attempt
from .second_factor import SEED, factor_page

HALF_IN = "half_in"  # in the session: who took the first step of signing in
SECOND_STEP_SECONDS = 10 * 60

form_page = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@sensitive_post_parameters("password")
@form_page
def first_run(request: HttpRequest) -> HttpResponse:
    """Make the first owner and product; closed for good once there is an owner."""
    if services.there_is_an_owner():
        return redirect("home")
    attempt = Attempt(request)
    if request.method == "POST":
        with attempt:
            user, address = _make_first_owner(request)
            login(request, user)
            return redirect(address)
    return attempt.page("workspace/first_run.html", ways_in())


@transaction.atomic
def _make_first_owner(request: HttpRequest) -> tuple[User, str]:
    user = services.create_first_owner(
        email=request.POST.get("email", ""),
        name=request.POST.get("name", ""),
        password=request.POST.get("password", ""),
    )
    product = services.create_product(
        actor_of_user(user), name=request.POST.get("product", ""), vision=request.POST.get("vision", "")
    )
    return user, reverse("today", args=[product.slug])


@never_cache
@sensitive_post_parameters("password")
@form_page
def sign_in(request: HttpRequest) -> HttpResponse:
    """With e-mail and password; wrong ones are counted and soon refused."""
    if isinstance(request.user, User):
        return redirect(safe_next(request))
    if not services.there_is_an_owner():
        return redirect("first_run")
    try:
        attempt = Attempt(request)
        if request.method == "POST":
            with attempt:
                return come_in(request, _known(request), "password")
        return attempt.page("workspace/sign_in.html", {"next": safe_next(request, ""), **ways_in()})
    except TooMany as error:
        return _refused(request, error, "workspace/sign_in.html")


def _refused(request: HttpRequest, error: TooMany, template: str) -> HttpResponse:
    """The form, and why nothing that stands in it is looked at now."""
    context = {"error": error.message, "form": request.POST, "next": safe_next(request, ""), **ways_in()}
    response = render(request, template, context, status=error.status)
    response["Retry-After"] = str(error.retry_after)
    return response


def ways_in() -> dict[str, object]:
    """What the sign-in page and an invitation offer."""
    return {
        "provider": openid.provider_name() if openid.is_configured() else "",
        "passwords": settings.WHYTREE.passwords,
    }


def come_in(request: HttpRequest, user: User, by: str, wanted: str = "") -> HttpResponse:
    """Begin the session of whoever is known `by` password, link or provider; with a second factor, only ask for its code.

    `wanted` is an address of our own that was kept on the way; else the request may name one.
    """
    wanted = wanted or safe_next(request, "")
    if not second_factor.is_asked_for(user):
        login(request, user)
        return redirect(wanted or "/")
    until = time.time() + SECOND_STEP_SECONDS
    request.session[HALF_IN] = {"user": user.pk, "hash": user.get_session_auth_hash(), "by": by, "until": until}
    return redirect(reverse("second_step") + (f"?{urlencode({'next': wanted})}" if wanted else ""))


@never_cache
@sensitive_post_parameters("code")
@form_page
def second_step(request: HttpRequest) -> HttpResponse:
    """The code of somebody whose password or link was right just now."""
    user = _half_in(request)
    if user is None:
        return redirect("sign_in")
    if second_factor.factor_of(user) is None and settings.WHYTREE.second_factor:
        return _first_factor(request, user)
    attempt = Attempt(request)
    try:
        if request.method == "POST":
            with attempt:
                by = request.session[HALF_IN]["by"]
                entering.second_step(asker_of(request), user, by=by, code=request.POST.get("code", ""))
                login(request, user)
                request.session.pop(HALF_IN, None)
                return redirect(safe_next(request))
        return attempt.page("workspace/second_step.html", {"next": safe_next(request, "")})
    except TooMany as error:
        return _refused(request, error, "workspace/second_step.html")


def _first_factor(request: HttpRequest, user: User) -> HttpResponse:
    """Everybody needs a second factor here, and this one has none yet: it is set up before one is in."""
    attempt = Attempt(request)
    seed = request.session.setdefault(SEED, second_factor.new_seed())
    if request.method == "POST":
        with attempt:
            by = request.session[HALF_IN]["by"]
            codes = entering.first_factor(asker_of(request), user, by=by, seed=seed, code=request.POST.get("code", ""))
            login(request, user)
            for name in (HALF_IN, SEED):
                request.session.pop(name, None)
            return factor_page(request, attempt, codes, go_on=safe_next(request))
    context = {"offer": second_factor.offer(user, seed), "next": safe_next(request, "")}
    return attempt.page("workspace/first_factor.html", context)


def _half_in(request: HttpRequest) -> User | None:
    """Who took the first step in this browser a moment ago, unless the password has changed since."""
    step = request.session.get(HALF_IN)
    if step is None or step["until"] < time.time():
        return None
    user = User.objects.filter(pk=step["user"], is_active=True).first()
    return user if user is not None and constant_time_compare(step["hash"], user.get_session_auth_hash()) else None


def _known(request: HttpRequest) -> User:
    return entering.sign_in(
        asker_of(request), email=request.POST.get("email", ""), password=request.POST.get("password", "")
    )


def asker_of(request: HttpRequest) -> str:
    """The asker's address: their own also behind a proxy (`site.serving.proxies`)."""
    return str(request.META.get("REMOTE_ADDR", ""))


def safe_next(request: HttpRequest, otherwise: str = "/") -> str:
    """Where to go after signing in; only to an address of our own."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else otherwise


@never_cache
@form_page
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """GET only shows a button: programs that preview links must not use one up."""
    if request.method != "POST":
        if not queries.sign_in_link_is_open(token):
            raise NotFound("This link was used or has run out. Make a new one on the server: whytree sign-in")
        return render(request, "workspace/sign_in_link.html", {"next": safe_next(request, "")})
    user = entering.sign_in_by_link(asker_of(request), token)
    response = come_in(request, user, "link")
    if isinstance(request.user, User) and not user.has_usable_password() and settings.WHYTREE.passwords:
        messages.info(
            request,
            format_html(
                'You are signed in. To come back without a link, <a href="{}">choose a password</a>.',
                reverse("password"),
            ),
        )
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, User):
        entering.sign_out(asker_of(request), request.user)
    logout(request)
    return redirect("sign_in")


@never_cache
@sensitive_post_parameters("password")
@form_page
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Join a product: with the account one is signed in to, or with a new one."""
    found = services.find_invitation(token)
    attempt = Attempt(request)
    if request.method == "POST":
        with attempt:
            return _joined(request, token, reverse("today", args=[found.product.slug]))
    return attempt.page(
        "workspace/invitation.html",
        {
            "invitation": found,
            "role": found.get_role_display(),
            "disciplines": Discipline.choices,
            "token": token,
            **ways_in(),
        },
    )


def _joined(request: HttpRequest, token: str, address: str) -> HttpResponse:
    me = request.user if isinstance(request.user, User) else None
    user = services.accept_invitation(
        token,
        user=me,
        email=request.POST.get("email", ""),
        name=request.POST.get("name", ""),
        password=request.POST.get("password", ""),
        discipline=request.POST.get("discipline", ""),
    )
    return HttpResponseRedirect(address) if me is not None else come_in(request, user, "password", address)


def address_of(request: HttpRequest) -> str:
    """How people and SDKs reach this server: as configured, else as this request did."""
    configured: str = settings.WHYTREE.public_url
    return configured or request.build_absolute_uri("/").rstrip("/")
