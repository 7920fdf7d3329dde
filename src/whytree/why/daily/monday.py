"""The Monday mail: one's own wishes, the product's channel, and the two addresses that need no sign-in."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from whytree.errors import Invalid, Unavailable
from whytree.workspace.entry.doors import PageRequest, find_product, page, signed_in
from whytree.workspace.models import Product
from whytree.workspace.outside import mail
from whytree.workspace.pages.attempt import Attempt, done
from whytree.workspace.pages.stopping import stop_page
from whytree.workspace.queries import memberships_of
from whytree.workspace.rights.access import may, require
from whytree.workspace.rights.roles import Role

from ..models import SlackHook
from . import alarms, sending
from .answer import person_of, reader_of


@never_cache
@require_safe
@signed_in
def mine(request: PageRequest) -> HttpResponse:
    """What comes on Mondays, by product, and how it stops."""
    return _mine(request, Attempt(request))


def _mine(request: PageRequest, attempt: Attempt) -> HttpResponse:
    user = person_of(request.actor)
    readers = [reader_of(user, one.product) for one in memberships_of(request.actor)]
    rows = [{"reader": one, "product": one.product, "feed": sending.feed_url(one)} for one in readers]
    context = {"here": "account", "rows": rows, "address": user.email, "mail_is_set": mail.is_set()}
    return attempt.page("why/your_mail.html", context)


@never_cache
@require_POST
@signed_in
def mine_act(request: PageRequest, product: str) -> HttpResponse:
    """On, off, send now, another feed address, an address less."""
    found = find_product(product)
    actor = request.actor
    require(actor, found, Role.VIEWER)
    acts: dict[str, Callable[[], str]] = {
        "on": lambda: _said(sending.set_mail(actor, found, on=True), f"{found.name} writes to you on Mondays."),
        "off": lambda: _said(sending.set_mail(actor, found, on=False), f"{found.name} writes no more."),
        "alarms-on": lambda: _said(
            alarms.set_alarms(actor, found, on=True), f"{found.name} writes to you when a change of yours does harm."
        ),
        "alarms-off": lambda: _said(
            alarms.set_alarms(actor, found, on=False), "Harm is said on Today and in the feed, and not by mail."
        ),
        "send": lambda: f"Sent to {sending.send_mine(actor, found)}.",
        "feed": lambda: _said(sending.new_feed_url(actor, found), "The feed has a new address. The old one is closed."),
        "forget": lambda: _said(
            sending.forget_email(actor, found, request.POST.get("email", "")), "That address is forgotten."
        ),
    }
    tried = _tried(request, acts.get(request.POST.get("act", "")), "your_mail")
    return _mine(request, tried) if isinstance(tried, Attempt) else tried


def _said(_: object, sentence: str) -> str:
    return sentence


def _tried(request: PageRequest, act: Callable[[], str] | None, name: str, *where: str) -> HttpResponse | Attempt:
    """What was done, on the page one goes to next; or the attempt that was refused."""
    attempt = Attempt(request)
    with attempt:
        if act is None:
            raise Invalid("There is no such button. Go back and choose again.")
        try:
            return done(request, act(), name, *where)
        except Unavailable as error:  # somebody else's server: said beside the form, for the person to act on
            raise Invalid(error.message) from error
    return attempt


@never_cache
@require_safe
@page(Role.VIEWER)
def channel(request: PageRequest, product: Product) -> HttpResponse:
    """Where the product's five lines are posted."""
    return _channel(request, product, Attempt(request))


def _channel(request: PageRequest, product: Product, attempt: Attempt) -> HttpResponse:
    hook = SlackHook.objects.filter(product=product).select_related("by").first()
    context = {
        "here": "settings",
        "tab": "monday",
        "hook": hook,
        "host": sending.host_of(hook) if hook else "",
        "may_set": may(request.actor, product, Role.MAINTAINER),
    }
    return attempt.page("why/monday.html", context)


@never_cache
@require_POST
@page(Role.MAINTAINER)
def channel_act(request: PageRequest, product: Product) -> HttpResponse:
    """Set, test, remove."""
    actor = request.actor
    acts: dict[str, Callable[[], str]] = {
        "set": lambda: _said(
            sending.set_slack(actor, product, request.POST.get("url", "")), "Five lines go there on Mondays."
        ),
        "test": lambda: f"{sending.post_to_slack(actor, product)} took it.",
        "remove": lambda: _said(sending.remove_slack(actor, product), "The channel gets nothing any more."),
    }
    tried = _tried(request, acts.get(request.POST.get("act", "")), "monday_channel", product.slug)
    return _channel(request, product, tried) if isinstance(tried, Attempt) else tried


stop = stop_page("why/stop_mail.html", sending.reader_of_stop, sending.stop_mail, lambda reader: reader.mail)
stop_alarms = stop_page("why/stop_alarms.html", alarms.reader_of_stop, alarms.stop_alarms, lambda reader: reader.alarms)


@require_GET
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The Atom feed behind a secret address."""
    response = HttpResponse(sending.feed(token), content_type="application/atom+xml; charset=utf-8")
    response["Cache-Control"] = "private, max-age=900"
    response["X-Robots-Tag"] = "noindex"
    return response
