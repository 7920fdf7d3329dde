"""No other site's page acts in the name of who is signed in: what changes something asks for this session's own token."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from whytree.events import urls as events
from whytree.site.api import api as everything
from whytree.site.urls import doors

from .test_strangers import of_product

# What asks for no session, so that there is none to abuse: the secret in its address opens it, or the key that is sent along.
# (`doors`, for machines with a key, are not even given a session.)
WITHOUT_SESSION = {
    *("mail/stop/<str:token>", "mail/stop-alarms/<str:token>", "stop-answers/<str:token>"),
    *("ideas/stop/<str:token>", "replies/stop/<str:token>", "leave-alone/<str:token>"),
    *("survey/<str:token>", "solved/<str:token>"),
    *("v1/feedback", "v1/feedback/<slug:slug>", "v1/surveys"),
    *(f"v1/surveys/SUR-<int:number>/{act}" for act in ("shown", "dismissed", "answer")),
    str(events.root[0].pattern),  # events sent to a wrong address, which are told the right one
}


def _pages(resolver: URLResolver | Any, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield before + str(one.pattern), one
        elif one.app_name != "ninja":
            yield from _pages(one, before + str(one.pattern))


@pytest.fixture
def forged(alice: Any) -> Client:
    """Alice's browser, in which another site's page sends a form."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    return client


def test_no_page_takes_a_form_without_the_token(forged: Client) -> None:
    pages = [(address, one) for address, one in _pages(get_resolver()) if one not in doors]
    assert {address for address, one in pages if getattr(one.callback, "csrf_exempt", False)} == WITHOUT_SESSION
    guarded = [address for address, _ in pages if address not in WITHOUT_SESSION]
    assert len(guarded) > 200
    taken = {address: status for address in guarded if (status := forged.post(of_product(address)).status_code) != 403}
    assert taken == {}


def test_no_operation_takes_a_browsers_word_without_the_token(forged: Client) -> None:
    assert forged.get("/api/me").status_code == 200, "her session counts there"
    taken, walked = [], 0
    for path, methods in everything.get_openapi_schema()["paths"].items():
        for method in methods.keys() - {"get"}:
            walked += 1
            sent = forged.generic(method.upper(), re.sub(r"\{\w+\}", "1", path), "{}", content_type="application/json")
            if sent.status_code not in (401, 403):
                taken.append((method, path, sent.status_code))
    assert walked > 150
    assert taken == []
