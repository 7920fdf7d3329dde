"""Five lines on Monday: by mail, to a channel, as a feed; off by one click, never twice, and nothing without something to say."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.utils import timezone

from tests.code.conftest import refusal
from tests.servers import live_env
from tests.why.test_daily import WHY, commit, link, repository, say  # noqa: F401  the same fixture here
from tests.workspace.smtp import Mailbox, mail_server
from tests.workspace.test_outgoing import Receiver, receiver  # noqa: F401
from whytree.tree import services
from whytree.why import jobs
from whytree.why.daily.digest import digest_of, week_of
from whytree.why.daily.sending import feed_url, reader_of, send_week, stop_url
from whytree.why.models import Reader, Sending, Shown, SlackHook
from whytree.workspace.background.jobs import run_next
from whytree.workspace.models import Activity, Job, Membership, Product
from whytree.workspace.sockets import tell_fact

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def box(settings: Any) -> Iterator[Mailbox]:
    with mail_server() as box:
        settings.WHYTREE = replace(settings.WHYTREE, smtp_url=box.url, public_url="https://why.example")
        yield box


@pytest.fixture
def old(product: Any) -> None:
    """Everybody is here since long before this Monday."""
    long_ago = MONDAY - timedelta(days=60)
    Product.objects.update(created_at=long_ago)
    Membership.objects.update(created_at=long_ago)
    SlackHook.objects.update(created_at=long_ago)


def run_monday(monkeypatch: pytest.MonkeyPatch, now: datetime | None = None) -> None:
    """What a worker does at that moment: the look, then the letters it asked for."""
    if now:
        monkeypatch.setattr(timezone, "now", lambda: now)
    jobs.monday({})
    while run_next("test"):
        pass


def text_of(mail: Any) -> str:
    return mail.get_body(("plain",)).get_content().replace("\r\n", "\n")


# What it says -----------------------------------------------------------------------------------------


def test_it_says_at_most_five_lines_of_what_daily_shows(
    alice: Any,
    actor: Any,
    product: Any,
    tree: Any,
    repository: Any,  # noqa: F811
) -> None:
    commit(repository, 10, trailers=WHY)
    for number, words in enumerate(("It is gone\nnow", "Much quicker", "Thank you"), 1):
        link(actor, product, tree.opportunity, say(product, words, number, person_key=words, author_name="Kim"))
    services.add_note(actor, product, tree.defer, kind="question", text="Who books?")
    services.add_note(actor, product, tree.defer, kind="question", text="And who not?")
    digest = digest_of(product, alice)
    assert [(line.label, line.text) for line in digest.lines] == [
        ("Heard", "“It is gone now” (Kim, widget, since you changed SOL-1)"),
        ("Also", "“Much quicker” “Thank you”"),
        ("Question", "SOL-1: Who books? And 1 more."),
    ]
    assert digest.subject == "Sprout: “It is gone now”"
    assert len(digest.lines) <= 5


def test_the_channel_hears_what_waits_for_anybody(actor: Any, product: Any, tree: Any) -> None:
    assert digest_of(product, None).lines == ()
    services.add_note(actor, product, tree.explain, kind="challenge", text="Trials forbid it")
    say(product, "Hello", 1)
    digest = digest_of(product, None)
    assert [line.label for line in digest.lines] == ["Heard", "Challenge"]
    assert digest.subject == "Sprout: a challenge wants an answer"


@pytest.mark.parametrize(
    ("now", "zone", "week", "due"),
    [
        (datetime(2026, 11, 23, 6, 59, tzinfo=UTC), "Europe/Berlin", "2026-W48", datetime(2026, 11, 23, 7, tzinfo=UTC)),
        (datetime(2026, 11, 23, 1, tzinfo=UTC), "America/New_York", "2026-W47", datetime(2026, 11, 16, 13, tzinfo=UTC)),
        (datetime(2027, 1, 1, 12, tzinfo=UTC), "UTC", "2026-W53", datetime(2026, 12, 28, 8, tzinfo=UTC)),
        (datetime(2026, 3, 30, 6, 30, tzinfo=UTC), "Europe/Berlin", "2026-W14", datetime(2026, 3, 30, 6, tzinfo=UTC)),
    ],
)
def test_monday_is_where_the_product_is(product: Any, now: datetime, zone: str, week: str, due: datetime) -> None:
    product.timezone = zone
    assert week_of(product, now) == (week, due)


# When it comes ----------------------------------------------------------------------------------------


def test_it_comes_on_monday_at_eight_and_once(
    alice: Any, product: Any, old: None, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = MONDAY
    say(product, "Hello", (timezone.now() - now) / timedelta(days=1) + 1)
    run_monday(monkeypatch, now - timedelta(minutes=1))
    assert box.mails == []
    for minutes in (0, 15, 30, 60 * 24 * 6):
        run_monday(monkeypatch, now + timedelta(minutes=minutes))
    (mail,) = box.mails
    assert mail["To"] == "alice@example.org"
    assert text_of(mail).startswith("Heard: “Hello” (somebody, widget")
    assert "https://why.example/p/sprout/FB-" in text_of(mail)
    assert Sending.objects.get().state == "sent"
    assert Shown.objects.count() == 1
    run_monday(monkeypatch, now + timedelta(days=7))
    assert len(box.mails) == 1  # heard already, and nothing else to say
    assert Sending.objects.get(week="2026-W49").state == "nothing"


def test_a_server_that_was_down_on_monday_sends_late(
    alice: Any, product: Any, old: None, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(product, "Hello", (timezone.now() - MONDAY) / timedelta(days=1) + 1)
    run_monday(monkeypatch, MONDAY + timedelta(days=2))
    assert len(box.mails) == 1


def test_two_workers_send_one(alice: Any, product: Any, old: None, box: Mailbox) -> None:
    """Both found it waiting; the row decides."""
    say(product, "Hello", 1)
    assert send_week(product, alice) is not None
    assert send_week(product, alice) is None
    assert len(box.mails) == 1


# What a worker's job does, in three processes.
WORKERS = """
from whytree.site.boot import set_up
set_up()
import multiprocessing
import sys
from django.db import connections
from django.utils import timezone
from whytree.voice.models import FeedbackItem
from whytree.workspace.models import Product, User
from whytree.why.daily.sending import send_week

product, user = Product.objects.get(), User.objects.get()
FeedbackItem.objects.create(
    product=product, number=1, source_type="x", submission_id="1", text="Hello", said_at=timezone.now(), content_hash="1"
)
connections.close_all()
context = multiprocessing.get_context("fork")
together = context.Barrier(3)

def work():
    User.objects.get()
    together.wait(60)
    send_week(product, user)

workers = [context.Process(target=work) for _ in range(3)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join(60)
sys.exit([worker.exitcode for worker in workers] != [0, 0, 0])
"""


@pytest.mark.slow
def test_workers_at_the_same_moment_send_one(begun: Callable[[Path], Path], tmp_path: Path) -> None:
    with mail_server() as box:
        env = {**live_env(begun(tmp_path / "data")), "WHYTREE_SMTP_URL": box.url}
        done = subprocess.run([sys.executable, "-c", WORKERS], env=env, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(box.mails) == 1


def test_one_that_was_cut_off_in_the_middle_is_not_sent_again(
    alice: Any, product: Any, old: None, box: Mailbox
) -> None:
    say(product, "Hello", 1)
    Sending.objects.create(product=product, user=alice, week=week_of(product, timezone.now())[0])
    assert send_week(product, alice) is None
    assert box.mails == []


def test_a_refusal_that_passes_is_tried_again_and_one_that_does_not_is_not(
    alice: Any, product: Any, old: None, box: Mailbox
) -> None:
    say(product, "Hello", 1)
    box.answers = ["450 busy", "250 OK"]
    assert send_week(product, alice).state == "failed"  # type: ignore[union-attr]
    assert send_week(product, alice).state == "sent"  # type: ignore[union-attr]
    Sending.objects.all().delete()
    Shown.objects.all().delete()
    box.answers = ["550 unknown"]
    assert "550 unknown" in send_week(product, alice).error  # type: ignore[union-attr]
    assert send_week(product, alice) is None


def test_a_mail_server_that_is_down_is_asked_once_and_not_for_everybody(
    alice: Any, bob: Any, product: Any, old: None, settings: Any
) -> None:
    say(product, "Hello", 1)
    settings.WHYTREE = replace(settings.WHYTREE, smtp_url="smtp://127.0.0.1:9")
    assert "does not answer" in send_week(product, alice).error  # type: ignore[union-attr]
    assert send_week(product, bob) is None
    assert Sending.objects.count() == 1


def test_it_gives_up_after_some_attempts(alice: Any, product: Any, old: None, box: Mailbox) -> None:
    say(product, "Hello", 1)
    box.answers = ["450 busy"] * 9
    assert [bool(send_week(product, alice)) for _ in range(7)] == [True] * 5 + [False] * 2


def test_nothing_is_sent_when_there_is_nothing_to_say(
    alice: Any, product: Any, old: None, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_monday(monkeypatch)
    assert box.mails == []


def test_newcomers_wait_for_their_first_monday(
    alice: Any, bob: Any, product: Any, old: None, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(product, "Hello", (timezone.now() - MONDAY) / timedelta(days=1) + 1)
    Membership.objects.filter(user=bob).update(created_at=MONDAY + timedelta(hours=1))
    run_monday(monkeypatch, MONDAY + timedelta(hours=2))
    assert [mail["To"] for mail in box.mails] == ["alice@example.org"]


def test_without_a_mail_server_no_job_is_asked_for(product: Any, old: None, monkeypatch: pytest.MonkeyPatch) -> None:
    say(product, "Hello", 1)
    jobs.monday({})
    assert Job.objects.count() == 0


# Off by one click -------------------------------------------------------------------------------------


def test_one_click_ends_it_and_a_look_does_not(alice: Any, product: Any, old: None, box: Mailbox) -> None:
    say(product, "Hello", 1)
    send_week(product, alice)
    address = box.mails[0]["List-Unsubscribe"].strip("<>")
    assert address.startswith("https://why.example/mail/stop/")
    assert address in text_of(box.mails[0])
    stranger = Client(enforce_csrf_checks=True)
    path = address.removeprefix("https://why.example")
    assert "Stop the mail" in stranger.get(path).content.decode()
    assert Reader.objects.get().mail
    answer = stranger.post(path, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, Reader.objects.get().mail) == (200, False)
    assert Activity.objects.filter(verb="set_mail", user=alice).count() == 1
    Sending.objects.all().delete()
    assert send_week(product, alice) is None
    stranger.post(path, {"act": "on"})
    assert Reader.objects.get().mail


def test_a_made_up_address_opens_nothing(alice: Any, product: Any) -> None:
    reader = reader_of(alice, product)
    feed, stop = feed_url(reader).rpartition("/")[2], stop_url(reader).rpartition("/")[2]
    for path in (
        "/mail/stop/x",
        f"/mail/stop/{stop}x",
        f"/mail/stop/{feed}",
        f"/feed/{stop}",
        "/feed/:::",
        f"/feed/{feed}x",
    ):
        assert Client().get(path).status_code == 404, path
        if path.startswith("/mail"):
            assert Client().post(path).status_code == 404


# The feed ---------------------------------------------------------------------------------------------


def read_feed(url: str) -> ElementTree.Element:
    answer = Client().get("/feed/" + url.rpartition("/")[2])
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/atom+xml; charset=utf-8")
    return ElementTree.fromstring(answer.content)


def test_the_feed_says_the_same_at_a_secret_address(
    alice: Any, product: Any, old: None, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = feed_url(reader_of(alice, product))
    since_monday = (timezone.now() - MONDAY) / timedelta(days=1)
    say(product, "<script>alert(1)</script> & \x0b more", since_monday + 1)
    monkeypatch.setattr(timezone, "now", lambda: MONDAY - timedelta(minutes=1))
    assert read_feed(url).findall(f"{ATOM}entry") == []  # its hour has not come yet
    monkeypatch.setattr(timezone, "now", lambda: MONDAY + timedelta(hours=1))
    root = read_feed(url)
    (entry,) = root.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}id") == "https://why.example/p/sprout/today#digest-2026-W48"
    assert "&lt;script&gt;" in (entry.findtext(f"{ATOM}content") or "")
    assert root.findtext(f"{ATOM}updated")
    send_week(product, alice)
    say(product, "Newer", since_monday)
    assert "script" in (
        read_feed(url).findtext(f"{ATOM}entry/{ATOM}content") or ""
    )  # what was mailed stays this week's


def test_a_new_address_closes_the_old_one_and_leaving_closes_both(api: Any, alice: Any, product: Any) -> None:
    old_url = api.get("/products/sprout/digest/mail").ok["feed"]
    new_url = api.post("/products/sprout/digest/feed").ok["feed"]
    assert Client().get("/feed/" + old_url.rpartition("/")[2]).status_code == 404
    read_feed(new_url)
    Membership.objects.filter(user=alice).delete()
    assert Client().get("/feed/" + new_url.rpartition("/")[2]).status_code == 403


# The channel ------------------------------------------------------------------------------------------


@pytest.fixture
def channel(settings: Any, api: Any, receiver: Receiver) -> Receiver:  # noqa: F811
    settings.WHYTREE = replace(settings.WHYTREE, outgoing_private=True, public_url="https://why.example")
    assert api.put("/products/sprout/slack", {"url": receiver.url}).ok["host"] in receiver.url
    return receiver


def test_the_channel_gets_them_once_and_nobody_is_called_by_what_users_wrote(
    product: Any, channel: Receiver, old: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(product, "<!channel> & <https://evil.example|click>", (timezone.now() - MONDAY) / timedelta(days=1) + 1)
    for hours in (0, 1):
        run_monday(monkeypatch, MONDAY + timedelta(hours=hours))
    ((_, _, body),) = channel.got
    assert "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;" in body["text"]
    assert "<https://why.example/p/sprout/FB-" in body["text"]


def test_a_channel_that_is_busy_is_tried_again_and_one_that_is_gone_is_not(
    product: Any, channel: Receiver, old: None
) -> None:
    say(product, "Hello", 1)
    channel.answers = [503, 200]
    assert send_week(product, None).state == "failed"  # type: ignore[union-attr]
    assert send_week(product, None).state == "sent"  # type: ignore[union-attr]
    Sending.objects.all().delete()
    channel.answers = [404]
    assert send_week(product, None).state == "failed"  # type: ignore[union-attr]
    assert send_week(product, None) is None


def test_whatever_is_pressed_a_product_of_others_is_not_there(as_alice: Any, other_product: Any) -> None:
    for act in ("on", "off", "send", "feed", "forget", "bogus", ""):
        for slug in (other_product.slug, "no-such-product"):
            assert as_alice.post(f"/mail/{slug}", {"act": act}).status_code == 404
    assert as_alice.post("/mail/sprout", {"act": "bogus"}).status_code == 400


def test_its_address_is_a_secret(api: Any, as_alice: Any, product: Any, channel: Receiver) -> None:
    assert "hook" not in as_alice.get("/p/sprout/settings/monday").content.decode().replace("webhook", "").replace(
        "hooks.", ""
    )
    assert "hook?x=1" not in json.dumps(list(Activity.objects.values("after", "before", "subject_label")))
    assert api.post("/products/sprout/slack/test").status == 409  # nothing to say
    say(product, "Hello", 1)
    assert api.post("/products/sprout/slack/test").status == 200
    assert api.delete("/products/sprout/slack").status == 204
    assert api.delete("/products/sprout/slack").status == 404


def test_it_calls_nobody_in_our_own_network(api: Any, product: Any) -> None:
    say(product, "Hello", 1)
    api.put("/products/sprout/slack", {"url": "https://127.0.0.1/x"})
    answer = api.post("/products/sprout/slack/test")
    assert (answer.status, "private network" in answer.body["message"]) == (400, True)
    assert api.put("/products/sprout/slack", {"url": "http://hooks.slack.com/x"}).status == 400


def test_who_may_set_the_channel(api_bob: Any, api_viewer: Any, api_charlie: Any, as_bob: Any, product: Any) -> None:
    for api, status in ((api_bob, 403), (api_viewer, 403), (api_charlie, 404)):
        assert api.put("/products/sprout/slack", {"url": "https://example.org/x"}).status == status
        assert api.delete("/products/sprout/slack").status == status
    assert as_bob.post("/p/sprout/settings/monday/act", {"act": "remove"}).status_code == 403
    assert "A maintainer can set one." in as_bob.get("/p/sprout/settings/monday").content.decode()


# Pages and commands -----------------------------------------------------------------------------------


def test_ones_own_page_turns_it_off_and_sends_it_now(as_alice: Any, product: Any, box: Mailbox) -> None:
    text = as_alice.get("/mail").content.decode()
    assert "https://why.example/feed/" in text
    assert "There is nothing to say this week" in as_alice.post("/mail/sprout", {"act": "send"}).content.decode()
    say(product, "Hello", 1)
    assert "Sent to alice@example.org." in as_alice.post("/mail/sprout", {"act": "send"}, follow=True).content.decode()
    assert (len(box.mails), Sending.objects.count(), Shown.objects.count()) == (1, 0, 0)
    box.answers = ["450 busy"]
    answer = as_alice.post("/mail/sprout", {"act": "send"})
    assert (answer.status_code, "450 busy" in answer.content.decode()) == (400, True)
    assert "mail off" in as_alice.post("/mail/sprout", {"act": "off"}, follow=True).content.decode()
    before = Reader.objects.get().nonce
    as_alice.post("/mail/sprout", {"act": "feed"})
    assert Reader.objects.get().nonce != before
    assert as_alice.post("/mail/sprout", {"act": "explode"}).status_code == 400


def test_an_address_that_is_not_ones_own_any_more_is_forgotten(as_alice: Any, alice: Any, product: Any) -> None:
    Reader.objects.create(user=alice, product=product, emails=["old@example.org"])
    as_alice.post("/mail/sprout", {"act": "forget", "email": "old@example.org"})
    assert Reader.objects.get().emails == []
    assert as_alice.post("/mail/sprout", {"act": "forget", "email": "other@example.org"}).status_code == 404


def test_the_mail_of_another_product_is_not_there(as_charlie: Any, product: Any) -> None:
    assert as_charlie.post("/mail/sprout", {"act": "on"}).status_code == 404
    assert "Sprout" not in as_charlie.get("/mail").content.decode()
    assert Client().get("/mail").status_code == 302


def test_the_channels_page_sets_tests_and_removes(as_alice: Any, product: Any, channel: Receiver) -> None:
    say(product, "Hello", 1)
    path = "/p/sprout/settings/monday/act"
    assert "took it." in as_alice.post(path, {"act": "test"}, follow=True).content.decode()
    assert "begins with https://" in as_alice.post(path, {"act": "set", "url": "hooks"}).content.decode()
    channel.answers = [404]
    assert "refused it: 404" in as_alice.post(path, {"act": "test"}).content.decode()
    as_alice.post(path, {"act": "remove"})
    assert SlackHook.objects.count() == 0


@pytest.mark.slow
def test_the_command_prints_it_sends_it_and_turns_it_off(cli: Any, product: Any, box: Mailbox) -> None:
    assert "Nothing to say this week" in cli("digest").output
    say(product, "Hello \x1b[31m", 1)
    screen = cli("digest").output
    assert "Heard: “Hello ␛[31m”" in screen
    assert json.loads(cli("digest", "--send", "--json").output)["sent_to"] == "alice@example.org"
    assert len(box.mails) == 1
    assert cli("digest", "--mail", "off").output == "Mail on Mondays: off.\n"
    assert cli("digest", "--alarms", "off").output == "Mail at once about harm: off.\n"
    assert not Reader.objects.get().alarms
    assert refusal(cli("digest", "--mail", "perhaps"))
    assert "hooks.slack.com gets five lines" in cli("slack", "set", "https://hooks.slack.com/services/x").output
    assert "nothing any more" in cli("slack", "remove").output
    assert "No channel is set" in refusal(cli("slack", "test"))


def test_a_token_that_may_only_read_changes_nothing_and_learns_no_secret(alice: Any, product: Any) -> None:
    from django.test import Client

    from whytree.workspace.entry import keys

    _, secret = keys.create_token(keys.actor_of_user(alice), name="ro", scopes=["read"])
    token = {"Authorization": f"Bearer {secret}"}
    base = "/api/products/sprout"
    asked = Client().get(f"{base}/digest/mail", headers=token)
    assert (asked.status_code, asked.json()["feed"]) == (200, "")
    for method, path, body in [
        ("PUT", "digest/mail", {"on": "off"}),
        ("POST", "digest/feed", {}),
        ("POST", "digest/send", {}),
        ("POST", "daily", {"emails": ["other@example.org"]}),
    ]:
        data = json.dumps(body)
        refused = Client().generic(method, f"{base}/{path}", data, content_type="application/json", headers=token)
        assert refused.status_code == 403, path


# What cannot wait for Monday --------------------------------------------------------------------------


def test_harm_is_mailed_posted_and_in_the_feed_once_and_each_way_is_tried_again_alone(
    alice: Any,
    product: Any,
    box: Mailbox,
    channel: Receiver,
) -> None:
    box.answers = ["450 busy", "250 OK"]
    now = timezone.now()
    harm = {
        "title": "The <gain> is gone",
        "text": "- b00b Check the number",
        "path": "/p/sprout/SOL-1#guard",
        "at": now,
    }
    for _ in range(2):
        tell_fact("harm_seen", product=product, owner_id=alice.pk, key="guard 1", **harm)
        while run_next("test", now + timedelta(minutes=5)):
            pass
    ((_, _, posted),) = channel.got
    assert "*The &lt;gain&gt; is gone*" in posted["text"]
    (mail,) = box.mails
    assert mail["Subject"] == "Sprout: The <gain> is gone"
    assert "https://why.example/p/sprout/SOL-1#guard" in text_of(mail)
    entry = read_feed(feed_url(reader_of(alice, product))).find(f"{ATOM}entry")
    assert entry.find(f"{ATOM}title").text == "The <gain> is gone"  # type: ignore[union-attr]
    path = mail["List-Unsubscribe"].strip("<>").removeprefix("https://why.example")
    stranger = Client(enforce_csrf_checks=True)
    assert "Stop these mails" in stranger.get(path).content.decode()
    stranger.post(path, {"List-Unsubscribe": "One-Click"})
    reader = Reader.objects.get()
    assert (reader.alarms, reader.mail) == (False, True)
    tell_fact("harm_seen", product=product, owner_id=alice.pk, key="guard 2", **harm)
    while run_next("test", now + timedelta(hours=1)):
        pass
    assert (len(box.mails), len(channel.got)) == (1, 2), "the channel and the feed still hear of it"
