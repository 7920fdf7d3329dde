"""Every door of a product there is, walked by somebody who is no member: nothing is behind any of them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from whytree.site.api import api as everything

NEEDS_MORE = "Field required"  # what is sent is read before it is known who sends it
OWN = "revoke_key"  # by number, and so one's own token


def addresses(resolver: URLResolver | Any, before: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield before + str(one.pattern)
        else:
            yield from addresses(one, before + str(one.pattern))


def of_product(address: str) -> str:
    """With Sprout as the product and something that may be there in every other place."""

    def filled(found: "re.Match[str]") -> str:
        return "sprout" if found[2] == "product" else "OPP-1" if found[1] == "ref" else "1"

    return "/" + re.sub(r"<(?:(\w+):)?(\w+)>", filled, address)


PAGES = [of_product(one) for one in addresses(get_resolver()) if "product>" in one and not one.startswith("api/")]


@pytest.fixture
def sprout(product: Any, store: Any, actor: Any) -> Any:
    """With something to find behind the doors."""
    from whytree.tree.services import create_opportunity

    create_opportunity(actor, product, title="The phone number puts people off")
    return product


def test_no_page_opens_for_who_is_no_member(sprout: Any, as_charlie: Any) -> None:
    assert len(PAGES) > 150
    nobody = Client()
    opened = []
    for address in PAGES:
        for method in ("get", "post"):
            if getattr(as_charlie, method)(address).status_code not in (404, 405):
                opened.append((method, address, "Charlie"))
            if getattr(nobody, method)(address).status_code not in (302, 404, 405):  # 404: a door for signed messages
                opened.append((method, address, "nobody"))
    assert opened == []


def test_no_operation_answers_who_is_no_member(sprout: Any, api_charlie: Any) -> None:
    opened, walked = [], 0
    for path, methods in everything.get_openapi_schema()["paths"].items():
        address = re.sub(r"\{(\w+)\}", lambda found: "sprout" if found[1] == "product" else "1", path)
        if "{product}" not in path:
            continue
        for method, operation in methods.items():
            if operation["operationId"] == OWN:
                continue
            walked += 1
            body = None if method == "get" else {}
            answer = api_charlie._call(method.upper(), address.removeprefix("/api"), body)
            if answer.status != 404 and not (answer.status == 400 and NEEDS_MORE in str(answer.body)):
                opened.append((method, path, answer.status))
    assert walked > 250
    assert opened == []
