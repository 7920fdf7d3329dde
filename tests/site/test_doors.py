"""What machines send goes straight to its view, past all that only pages need."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import path

from whytree.errors import NotFound
from whytree.site import doors
from whytree.site.doors import Doors


def _page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Doors whose one door, /knock, does what the test says."""

    def of(view: Any) -> HttpResponse:
        monkeypatch.setattr(doors, "doors", [path("knock", view)])
        answer = Doors(_page)(RequestFactory().get("/knock"))
        assert isinstance(answer, HttpResponse)
        return answer

    return of


def test_a_door_is_answered_with_policy_and_length_and_everything_else_handed_on(opened: Any) -> None:
    answer = opened(lambda request: HttpResponse("taken"))
    assert answer.content == b"taken"
    assert answer["Content-Length"] == "5"
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert Doors(_page)(RequestFactory().get("/today")).content == b"a page"  # type: ignore[attr-defined]


def test_our_errors_are_told_and_others_fly(opened: Any) -> None:
    def refuse(request: HttpRequest) -> HttpResponse:
        raise NotFound("There is no such thing here.")

    def break_down(request: HttpRequest) -> HttpResponse:
        raise LookupError("a fault of ours")

    assert opened(refuse).status_code == 404
    with pytest.raises(LookupError):
        opened(break_down)
