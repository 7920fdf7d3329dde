"""What visitors write in the box of whytree.js lands in the inbox, once, when it is wanted."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from whytree.voice.models import FeedbackItem, VoiceSettings
from whytree.voice.services import set_voice_settings

from .conftest import Done

WORDS = {"id": "0b6a", "text": "It forgot my beds", "kind": "problem"}


@pytest.fixture
def send(capture_key: str, actor: Any, product: Any, store: Any) -> Callable[..., Any]:
    """Feedback from a page is on."""
    set_voice_settings(actor, product, from_pages=True)

    def post(origin: str = "https://shop.example", **said: Any) -> Any:
        body = {"key": capture_key, **WORDS, **said}
        return Client().post("/v1/feedback", json.dumps(body), content_type="text/plain", headers={"Origin": origin})

    return post


def test_it_is_off_until_somebody_wants_it(send: Any, actor: Any, product: Any) -> None:
    set_voice_settings(actor, product, from_pages=False)
    refused = send()
    assert (refused.status_code, "Feedback from pages is off" in refused.json()["message"]) == (403, True)
    assert not FeedbackItem.objects.exists()


def test_it_lands_with_page_version_person_and_variants(send: Any) -> None:
    context = {"app": {"version": "4.1"}, "page": {"url": "https://shop.example/beds"}, "flags": {"beds": "new"}}
    done = send(userId="mira", anonymousId="d1", context=context, email="Mira@example.org", quotable=True)
    assert (done.status_code, done.json()) == (200, {"success": True})
    item = FeedbackItem.objects.get()
    assert (item.text, item.person_key, item.app_version, item.url, item.flags) == (
        "It forgot my beds",
        "mira",
        "4.1",
        "https://shop.example/beds",
        {"beds": "new"},
    )
    assert (item.consent, item.metadata, item.source, item.is_waiting) == (
        "quotable",
        {"kind": "problem"},
        "feedback box",
        True,
    )


def test_sent_twice_it_lands_once_and_nobody_changes_it(send: Any) -> None:
    assert [send().status_code, send().status_code, send(text="something else").status_code] == [200, 200, 200]
    assert FeedbackItem.objects.get().text == "It forgot my beds"


def test_variants_of_our_own_flags_are_looked_up(send: Any, actor: Any, product: Any) -> None:
    from whytree.flags.services import create_flag, set_rollout

    create_flag(actor, product, key="beds")
    set_rollout(actor, product, "beds", coverage=10_000, is_on=True)
    send(userId="mira")
    assert FeedbackItem.objects.get().flags == {"beds": "on"}


def test_somebody_whom_nobody_knows_may_write_too(send: Any) -> None:
    send()
    assert FeedbackItem.objects.get().person_key == ""


def test_personal_data_is_taken_out_and_markup_is_text(send: Any, as_bob: Any) -> None:
    send(text="<script>alert(1)</script> call +49 30 1234567 or ana@example.org")
    text = FeedbackItem.objects.get().text
    assert text.startswith("<script>")
    assert "ana@example.org" not in text
    page = as_bob.get("/p/sprout/FB-1").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"text": " "}, 400),
        ({"text": 7}, 400),
        ({"text": "x" * 10_001}, 400),
        ({"text": "a\x00b"}, 400),
        ({"kind": "rant"}, 400),
        ({"kind": ["idea"]}, 400),
        ({"id": ""}, 400),
        ({"id": "x" * 101}, 400),
        ({"email": "not one"}, 400),
        ({"email": "@"}, 400),
        ({"email": "a@example.org,b@example.org"}, 400),
        ({"email": "a@example.org\nBcc: b@example.org"}, 400),
        ({"text": "x" * 1_500_000}, 413),
        ({"key": "wtc_unknown"}, 401),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_sentence(send: Any, said: Any, status: int) -> None:
    refused = send(**said)
    assert refused.status_code == status
    assert refused.json()["message"]
    assert not FeedbackItem.objects.exists()


def test_other_origins_are_refused_where_a_list_is_set(send: Any, actor: Any, product: Any) -> None:
    set_voice_settings(actor, product, page_origins=["https://app.example.org/"])
    assert send().status_code == 403
    assert send(origin="https://app.example.org").status_code == 200


def test_one_address_says_only_so_much(send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whytree.voice.arriving.widget.PER_MINUTE", 2)
    assert [send(id=str(at)).status_code for at in range(3)] == [200, 200, 429]


def test_it_is_turned_on_at_every_door(
    as_alice: Any, as_bob: Any, api: Any, api_bob: Any, cli: Callable[..., Done], product: Any
) -> None:
    path = "/p/sprout/voices/imports/settings"
    form = {"redact": ["email"], "team": "", "from_pages": "on", "page_origins": "https://a.example, https://b.example"}
    assert as_bob.post(path, form).status_code == 403
    as_alice.post(path, form)
    assert VoiceSettings.of(product).page_origins == ["https://a.example", "https://b.example"]
    assert 'name="from_pages" checked' in as_alice.get("/p/sprout/voices/imports").content.decode()
    assert "Feedback from pages: https://a.example, https://b.example." in cli("feedback", "settings").out
    assert "off" in cli("feedback", "settings", "--not-from-pages").out
    assert "no origin" in cli("feedback", "settings", "--origin", "everywhere").error
    told = api.put("/products/sprout/feedback-settings", {"from_pages": True, "page_origins": []}).ok
    assert (told["from_pages"], told["page_origins"], told["redact"]) == (True, [], ["email"])
    assert api_bob.put("/products/sprout/feedback-settings", {"from_pages": False}).status == 403
