"""What other systems post lands once, when it is signed with the product's secret and fresh."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from whytree.errors import Forbidden
from whytree.voice.incoming.models import FeedbackMessage, FeedbackWebhook
from whytree.voice.incoming.services import forget_messages, make_secret
from whytree.voice.models import FeedbackItem
from whytree.workspace.entry.keys import actor_of_user
from whytree.workspace.models import Activity
from whytree.workspace.outside.webhooks import signature

from .conftest import Done

VOICE = {"text": "It forgot my beds", "person": "mira", "source_type": "support"}


@pytest.fixture
def secret(actor: Any, product: Any) -> str:
    return make_secret(actor, product)[1]


@pytest.fixture
def post(secret: str, store: Any) -> Callable[..., Any]:
    def send(
        said: Any, own_id: str = "msg_1", at: float = 0, sign: str = secret, to: str = "sprout", **headers: str
    ) -> Any:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        sent_at = int(time.time() + at)
        signed = {
            "webhook-id": own_id,
            "webhook-timestamp": str(sent_at),
            "webhook-signature": signature(sign, own_id, sent_at, body),
            **headers,
        }
        return Client().post(f"/v1/feedback/{to}", body, content_type="application/json", headers=signed)

    return send


def test_a_record_lands_and_the_same_message_again_is_answered_as_before(post: Any) -> None:
    first = post(VOICE)
    item = FeedbackItem.objects.get()
    assert (first.status_code, first.json()["created"]) == (200, [item.ref])
    assert (item.text, item.person_key, item.source_type) == ("It forgot my beds", "mira", "support")
    again = post({"text": "other words under the same id"}, at=20)
    assert (again.status_code, again.json()) == (200, first.json())
    assert FeedbackItem.objects.count() == 1


def test_of_a_list_the_good_ones_land_and_the_others_are_named(post: Any) -> None:
    told = post([VOICE, {"text": " "}, {"text": "Faster", "rating": "many"}]).json()
    assert (len(told["created"]), [one["index"] for one in told["refused"]]) == (1, [1, 2])


def test_documents_of_systems_we_know_are_recognised_and_other_rows_guessed(post: Any) -> None:
    issue = {
        "number": 7,
        "title": "Beds are lost",
        "body": "After the update",
        "user": {"login": "mira", "type": "User"},
        "html_url": "https://github.com/acme/sprout/issues/7",
        "created_at": "2026-03-02T09:00:00Z",
        "author_association": "NONE",
        "state": "open",
    }
    told = post([issue]).json()
    assert (told["recognised"], len(told["created"])) == ("GitHub issues (REST)", 1)
    assert "Beds are lost" in FeedbackItem.objects.get().text
    guessed = post({"message": "Where did my beds go?", "email": "jo@example.org", "channel": "chat"}, "msg_2").json()
    item = FeedbackItem.objects.get(text="Where did my beds go?")
    assert (guessed["created"], guessed["recognised"]) == ([item.ref], "columns guessed")
    assert (item.source_type, item.metadata["channel"]) == ("webhook", "chat")


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ({"sign": "whsec_AAAA"}, 401),
        ({"webhook-signature": "v1,nonsense v1a,\N{SNOWMAN}"}, 401),
        ({"webhook-signature": ""}, 401),
        ({"at": -301}, 400),
        ({"at": 320}, 400),
        ({"webhook-timestamp": "now"}, 400),
        ({"webhook-id": ""}, 400),
        ({"to": "elsewhere"}, 404),
        ({"to": "nowhere"}, 404),
        ({"said": b'{"text": '}, 400),
        ({"said": b"[" * 100_000}, 400),
        ({"said": {"strange": 1}}, 400),
        ({"said": b"7" * 5_000}, 400),
        ({"said": b"\xff\xfe\x00"}, 400),
        ({"said": [5, None]}, 400),
        ({"said": b""}, 400),
        ({"said": {"text": "\0"}}, 400),
        ({"said": b" " * (2 * 1024 * 1024 + 1)}, 413),
        ({"said": [VOICE] * 1_001}, 413),
    ],
)
def test_what_cannot_be_taken_leaves_no_trace(post: Any, other_product: Any, case: dict[str, Any], status: int) -> None:
    refused = post(**{"said": VOICE, **case})
    assert (refused.status_code, bool(refused.json()["message"])) == (status, True)
    assert not FeedbackItem.objects.exists()
    assert not FeedbackMessage.objects.exists()


def test_the_secret_before_holds_for_a_day(post: Any, actor: Any, product: Any, secret: str) -> None:
    _, new = make_secret(actor, product)
    assert [post(VOICE, "a").status_code, post(VOICE, "b", sign=new).status_code] == [200, 200]
    FeedbackWebhook.objects.update(made_at=timezone.now() - timedelta(days=2))
    assert [post(VOICE, "c").status_code, post(VOICE, "d", sign=new).status_code] == [401, 200]
    told = json.dumps(list(Activity.objects.values()), default=str)
    assert "whsec_" not in told, "all members read the activity"


def test_messages_are_forgotten_when_nobody_sends_them_again(post: Any) -> None:
    post(VOICE)
    assert forget_messages() == 0
    FeedbackMessage.objects.update(taken_at=timezone.now() - timedelta(days=8))
    assert (forget_messages(), FeedbackItem.objects.count()) == (1, 1)


def test_only_a_maintainer_makes_secrets(bob: Any, product: Any) -> None:
    with pytest.raises(Forbidden):
        make_secret(actor_of_user(bob), product)


def test_page_api_and_command_line_show_it_once(cli: Callable[..., Done], as_alice: Any, as_charlie: Any) -> None:
    assert cli("feedback", "webhook", "--json").json["made_at"] is None
    made = cli("feedback", "webhook", "--secret", "--json").json
    assert made["secret"].startswith("whsec_")
    assert made["url"].endswith("/v1/feedback/sprout")
    assert cli("feedback", "webhook", "--json").json["secret"] == ""
    page = as_alice.post("/p/sprout/voices/imports/webhook", {"do": "rotate"}, follow=True).content.decode()
    assert "whsec_" in page
    assert "whsec_" not in as_alice.get("/p/sprout/voices/imports").content.decode()
    assert as_charlie.post("/p/sprout/voices/imports/webhook", {"do": "close"}).status_code == 404
    as_alice.post("/p/sprout/voices/imports/webhook", {"do": "close"})
    assert not FeedbackWebhook.objects.exists()
