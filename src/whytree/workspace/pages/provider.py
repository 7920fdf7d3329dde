"""To the OpenID provider and back."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from whytree.errors import NotFound, RetryLater, WhytreeError
from whytree.workspace import services
from whytree.workspace.entry import entering
from whytree.workspace.entry.pace import keep_pace
from whytree.workspace.provider import openid

from .entry import address_of, asker_of, come_in, safe_next, ways_in

UNDER_WAY = "provider"  # in the session
BEGUN_A_MINUTE = 30  # from one address: an office comes in at nine


@never_cache
@require_safe
def begin(request: HttpRequest) -> HttpResponse:
    """A link leads here, not a form: our content policy lets no form lead to another host."""
    _require_provider()
    if not services.there_is_an_owner():
        return HttpResponseRedirect(reverse("first_run"))
    try:
        keep_pace("provider", asker_of(request), most=BEGUN_A_MINUTE, seconds=60)
        address, kept = openid.begin(
            back=address_of(request) + reverse("provider_back"),
            next_page=safe_next(request, ""),
            invitation=request.GET.get("invitation", "")[:100],
        )
    except WhytreeError as error:
        return _refused(request, error)
    request.session[UNDER_WAY] = kept
    if not request.user.is_authenticated:
        request.session.set_expiry(openid.UNDER_WAY_SECONDS)  # of most who turn back there nothing is to stay
    return HttpResponseRedirect(address)


def _refused(request: HttpRequest, error: WhytreeError) -> HttpResponse:
    """The sign-in page, which may have another way in."""
    response = render(request, "workspace/sign_in.html", {"error": error.message, **ways_in()}, status=error.status)
    if isinstance(error, RetryLater):
        response["Retry-After"] = str(error.retry_after)
    return response


@never_cache
@require_safe
def back(request: HttpRequest) -> HttpResponse:
    """The provider sends the browser here, with a code or an error; whatever is wrong is said on the sign-in page."""
    _require_provider()
    kept = request.session.pop(UNDER_WAY, None)  # whatever comes of it, once
    request.session.set_expiry(None)
    try:
        claims, under_way = openid.finish(kept, request.GET.dict())
        user = entering.sign_in_by_provider(asker_of(request), claims, invitation=under_way.invitation)
    except WhytreeError as error:
        return _refused(request, error)
    return come_in(request, user, "provider", under_way.next)


def _require_provider() -> None:
    if not openid.is_configured():
        raise NotFound("This server has no OpenID provider to sign in with. Sign in with your password.")
