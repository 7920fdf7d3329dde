"""What becomes of a voice reaches those who said it, where no board tells them: mail, signed webhook, Atom."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from whytree.errors import NotFound, Unavailable
from whytree.people.identity import Traits
from whytree.people.models import Person
from whytree.people.services import update_profiles
from whytree.voice.contacts import set_wish
from whytree.voice.models import FeedbackItem, Reply
from whytree.voice.replies import telling
from whytree.voice.replies.services import set_ways
from whytree.voice.replies.telling import tell_waiting
from whytree.voice.services import Act, add_status, answer_voice, merge, triage, undo_triage
from whytree.workspace.models import Job
from whytree.workspace.outside import outgoing
from whytree.workspace.outside.mail import Mail

from .conftest import Done

HOOK = "https://hooks.example.org/voices"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[Mail]:
    """What would have been sent."""
    sent: list[Mail] = []
    monkeypatch.setattr(telling, "send", sent.append)
    monkeypatch.setattr(telling, "is_set", lambda: True)
    return sent


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str], bytes]]:
    """What another system would have got: address, headers, body."""
    got: list[tuple[str, dict[str, str], bytes]] = []

    def post(url: str, body: Any, sign: Callable[[bytes], dict[str, str]]) -> bytes:
        data = json.dumps(body, ensure_ascii=False).encode()
        got.append((url, sign(data), data))
        return b""

    monkeypatch.setattr(outgoing, "post_json", post)
    return got


@pytest.fixture
def planned(actor: Any, product: Any) -> str:
    return add_status(actor, product, name="Planned", waits=False, tells=True).name


def stands(actor: Any, product: Any, item: FeedbackItem, status: str) -> list[int]:
    item = FeedbackItem.objects.select_related("product", "merged_into").get(pk=item.pk)
    return triage(actor, product, [item], Act("set_status", status)).activities


def test_a_told_status_reaches_each_who_said_it_once_and_no_other(
    actor: Any, product: Any, say: Any, mails: list[Mail], planned: str
) -> None:
    main = say("Dark colours please", person="mira", author_email="mira@example.org", said_at="2026-03-02")
    also = say("My eyes hurt at night", person="mira", author_email="mira@example.org")
    for item in (
        say("night mode", person="jo", author_email="jo@example.org", consent="none"),
        say("night mode!", person="jo2", author_email="JO@example.org"),
        say("we want it, too", person="ana", author_email="ana@example.org", from_team=True),
        say("I do, too", person="lee", author_email="lee@example.org"),
        say("somebody does"),
    ):
        merge(actor, item, main)
    set_wish(actor, product, "lee", may=False)
    # whoever holds a public key can say that any address is anybody's
    victim = Traits(product.pk, "kim", {"email": "victim@example.org"}, 1_800_000_000.0)
    update_profiles([victim])
    merge(actor, say("I, too", person="kim"), main)
    add_status(actor, product, name="ours", waits=True)
    stands(actor, product, also, "ours")  # nobody's business
    stands(actor, product, main, planned)
    stands(actor, product, also, planned)
    assert Job.objects.filter(kind="voice.tell_voters").count() == 1
    assert tell_waiting(product) == 2
    assert tell_waiting(product) == 0
    assert [mail.to for mail in mails] == ["mira@example.org", "jo@example.org"]
    assert "on 2 March 2026 (“Dark colours please”) is now: Planned." in mails[0].text
    assert "My eyes hurt" in mails[0].text, "two voices of one person are one mail"
    assert "night mode" not in mails[1].text, "what is not to be quoted is not"
    stop = mails[1].stop_url[mails[1].stop_url.index("/replies") :]
    assert "Rather hear nothing" in Client().get(stop).content.decode()
    assert Client(enforce_csrf_checks=True).post(stop).status_code == 200
    assert Client().get("/replies/stop/1.made-up").status_code == 404
    stands(actor, product, main, "ours")
    stands(actor, product, main, planned)
    assert tell_waiting(product) == 1


def test_what_is_taken_back_before_it_was_told_is_no_news(
    actor: Any, product: Any, say: Any, mails: list[Mail], planned: str
) -> None:
    item = say("Dark colours please", person="mira", author_email="mira@example.org")
    undo_triage(actor, product, stands(actor, product, item, planned))
    assert tell_waiting(product) == 0
    assert not Reply.objects.exists()


def test_another_attempt_goes_on_where_the_mail_server_went_away(
    actor: Any, product: Any, say: Any, mails: list[Mail], planned: str, monkeypatch: Any
) -> None:
    main = say("Dark colours please", person="mira", author_email="mira@example.org")
    merge(actor, say("night mode", person="jo", author_email="jo@example.org"), main)
    stands(actor, product, main, planned)

    def once(mail: Mail) -> None:
        if mails:
            raise Unavailable("away")
        mails.append(mail)

    monkeypatch.setattr(telling, "send", once)
    with pytest.raises(Unavailable):
        tell_waiting(product)
    monkeypatch.setattr(telling, "send", mails.append)
    assert tell_waiting(product) == 1
    assert [mail.to for mail in mails] == ["mira@example.org", "jo@example.org"]


def test_other_systems_hear_of_answers_signed_with_the_ids_that_voices_came_in_with(
    actor: Any, product: Any, say: Any, posts: Any, planned: str
) -> None:
    _, secret = set_ways(actor, product, webhook=HOOK)
    assert set_ways(actor, product, webhook=HOOK)[1] == ""  # shown once
    main = say("Dark <b>colours</b>", source="zendesk", submission_id="ticket-7", person="mira")
    merge(actor, say("night mode", source="intercom", submission_id="c-9"), main)
    answer_voice(actor, FeedbackItem.objects.select_related("product").get(pk=main.pk), "In <May>.")
    stands(actor, product, main, planned)
    tell_waiting(product)
    tell_waiting(product)
    assert [url for url, *_ in posts] == [HOOK, HOOK]
    _, headers, body = posts[0]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    said = json.loads(body)
    assert (said["type"], said["data"]["answer"], said["data"]["voices_total"]) == ("feedback.answer", "In <May>.", 2)
    assert said["data"]["voices"][0] | {"ref": ""} == {
        "ref": "",
        "person": "mira",
        "source_type": "test",
        "source_id": "zendesk",
        "submission_id": "ticket-7",
    }
    assert json.loads(posts[1][2])["data"]["status"] == "Planned"


def test_the_feed_is_for_who_has_its_address_and_quotes_nobody_who_forbids_it(
    actor: Any, product: Any, say: Any, planned: str
) -> None:
    ways, _ = set_ways(actor, product, feed=True)
    address = f"/replies/{ways.feed}.atom"
    said = [say("Dark <colours>\x01"), say("between us", consent="none")]
    for item in said:
        stands(actor, product, item, planned)
    assert not ElementTree.fromstring(Client().get(address).content).findall(f"{ATOM}entry")  # not told yet
    tell_waiting(product)
    feed = Client().get(address)
    titles = [one.findtext(f"{ATOM}title") for one in ElementTree.fromstring(feed.content).findall(f"{ATOM}entry")]
    assert titles == ["Planned: FB-2", "Planned: Dark <colours>"]
    again, _ = set_ways(actor, product, feed=True)
    assert again.feed != ways.feed
    assert Client().get(address).status_code == 404
    set_ways(actor, product, feed=False)
    with pytest.raises(NotFound):
        telling.feed_of("")


def test_page_api_and_command(
    as_alice: Any, as_bob: Any, as_charlie: Any, api: Any, api_bob: Any, product: Any, cli: Callable[..., Done]
) -> None:
    page = "/p/sprout/voices/statuses"
    as_alice.post(page, {"name": "Planned", "tells": "1"})
    as_alice.post("/p/sprout/voices/replies", {"webhook": HOOK})
    shown = as_alice.get(page).content.decode()
    assert "those who said it hear of it" in shown
    assert "whsec_" in shown
    assert "whsec_" not in as_alice.get(page).content.decode()
    as_alice.post("/p/sprout/voices/replies", {"webhook": "http://127.0.0.1/"})
    assert "begins with https" in as_alice.get(page).content.decode()
    as_alice.post("/p/sprout/voices/replies", {"feed": "open"})
    feed = re.search(r'id="feed-url">([^<]+)<', as_alice.get(page).content.decode())[1]  # type: ignore[index]
    assert Client().get(feed[feed.index("/replies") :]).status_code == 200
    assert feed not in as_bob.get(page).content.decode()
    assert as_bob.post("/p/sprout/voices/replies", {"webhook": HOOK}).status_code == 403
    assert as_charlie.post("/p/sprout/voices/replies", {"webhook": HOOK}).status_code == 404
    assert api.get("/products/sprout/feedback-replies").ok["webhook"] == HOOK
    assert api_bob.get("/products/sprout/feedback-replies").status == 403
    assert api.put("/products/sprout/feedback-replies", {"webhook": "ftp://x"}).status == 400
    assert "No webhook" in cli("feedback", "replies", "--webhook", "", "--no-feed").out
    assert "whsec_" in cli("feedback", "replies", "--webhook", HOOK).out
    cli("feedback", "statuses", "--add", "Done", "--tells")
    assert "is told" in cli("feedback", "statuses").out
    assert api.get("/products/sprout/feedback-statuses").ok[0]["tells"] is True
    assert Person.objects.count() == 0
