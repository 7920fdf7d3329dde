"""Boards and questions that come by themselves: at their hour, once a day, ended by one click."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.workspace.smtp import Mailbox, mail_server
from whytree.analytics.boards.services import add_card, create_board
from whytree.analytics.jobs import send_subscriptions
from whytree.analytics.models import Letter, Subscription
from whytree.analytics.saved.services import keep_question
from whytree.analytics.subscriptions.queries import due_on
from whytree.analytics.subscriptions.services import create_subscription, send_due, stop_url
from whytree.errors import Conflict, Invalid
from whytree.workspace.background.jobs import run_next

PATH = "/products/sprout/subscriptions"
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with mail_server() as box:
        settings.WHYTREE = replace(settings.WHYTREE, smtp_url=box.url, public_url="https://why.example")
        yield box


@pytest.fixture
def board(actor: Any, product: Any, happened: Callable[..., None]) -> Any:
    happened(1, "opened", 2)
    saved = keep_question(
        actor, product, title="Opens <b>", question={"version": 1, "kind": "trends", "series": ["opened"], "days": 7}
    )
    board = create_board(actor, product, title="Monday", questions=[saved.ref])
    add_card(actor, product, board.number, text="Look at the first line.")
    return board


def run_all() -> None:
    for _ in range(20):
        if not run_next("here", timezone.now() + timedelta(hours=1)):
            return


def at(weekday: int = 0, hour: int = 8, zone: str = "UTC", every: str = "week") -> Subscription:
    return Subscription(weekday=weekday, hour=hour, zone=zone, every=every, created_at=MONDAY - timedelta(days=30))


@pytest.mark.parametrize(
    ("one", "now", "due"),
    [
        (at(), MONDAY, "2026-11-23"),
        (at(), MONDAY - timedelta(seconds=1), None),
        (at(), MONDAY + timedelta(hours=11), "2026-11-23"),  # the server was down at eight
        (at(), MONDAY + timedelta(hours=13), None),
        (at(weekday=1), MONDAY, None),
        (at(hour=9, zone="Europe/Berlin"), MONDAY, "2026-11-23"),
        (at(hour=0, zone="Pacific/Auckland", weekday=1), datetime(2026, 11, 23, 11, 5, tzinfo=UTC), "2026-11-24"),
        (at(every="day", hour=23), MONDAY, "2026-11-22"),  # last night's, late
        (at(every="day", hour=8), MONDAY, "2026-11-23"),
    ],
)
def test_it_is_due_at_its_hour_in_its_own_zone(one: Subscription, now: datetime, due: str | None) -> None:
    found = due_on(one, now)
    assert (found.isoformat() if found else None) == due


@pytest.mark.parametrize(
    ("day", "first"),
    [
        ("2026-10-25", datetime(2026, 10, 25, 0, 0, tzinfo=UTC)),  # two o'clock comes twice: at the first one
        ("2027-03-28", datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),  # it never comes: when it would have
    ],
)
def test_it_is_due_once_on_a_day_whose_clocks_change(day: str, first: datetime) -> None:
    one = at(hour=2, zone="Europe/Berlin", every="day")
    one.created_at = first - timedelta(days=30)
    looks = [first + timedelta(minutes=15 * step) for step in range(-40, 40)]
    due = {look: due_on(one, look) for look in looks}
    assert next(look for look in looks if str(due[look]) == day) == first
    assert {str(due[look]) for look in looks if look >= first} == {day}


def test_what_was_asked_for_after_the_hour_waits_for_the_next() -> None:
    one = at()
    one.created_at = MONDAY + timedelta(minutes=5)
    assert due_on(one, MONDAY + timedelta(minutes=10)) is None


def due_now(one: Subscription) -> None:
    """As if it had been asked for yesterday, for this hour."""
    now = timezone.now()
    Subscription.objects.filter(pk=one.pk).update(
        every="day", hour=now.hour, zone="UTC", created_at=now - timedelta(days=1)
    )


def test_a_board_comes_by_mail_once_a_day(actor: Any, product: Any, board: Any, mailbox: Mailbox) -> None:
    one = create_subscription(actor, product, board=board.number)
    due_now(one)
    assert send_due() == 1
    run_all()
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Monday, Sprout"
    assert mail["List-Unsubscribe"].startswith("<https://why.example/stop-answers/")
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Opens <b>: “opened”" in text
    assert "Look at the first line." in text
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "Opens &lt;b&gt;" in html
    assert send_due() == 0
    run_all()
    assert len(mailbox.mails) == 1


def test_a_mail_server_that_is_away_for_an_hour_delays_it_and_that_is_said(
    actor: Any, product: Any, board: Any, mailbox: Mailbox, as_alice: Any, api: Any
) -> None:
    due_now(create_subscription(actor, product, board=board.number))
    mailbox.answers += ["450 not now"] * 5  # as often as a job is tried
    send_subscriptions({})
    run_all()
    assert mailbox.mails == []
    assert "will be tried again" in as_alice.get("/p/sprout/subscriptions").content.decode()
    assert api.get(PATH).ok[0]["last"]["state"] == "failed"
    send_subscriptions({})
    run_all()
    assert len(mailbox.mails) == 1
    assert api.get(PATH).ok[0]["last"] == api.get(PATH).ok[0]["last"] | {"state": "sent", "error": ""}
    Letter.objects.update(state="failed", error="Away.", occasion="2026-01-01")
    send_subscriptions({})
    run_all()
    assert Letter.objects.get(occasion="2026-01-01").error == "Away. It was too late then."
    assert Letter.objects.count() == 2
    assert api.get(PATH).ok[0]["last"]["state"] == "sent", "the newest"


def test_one_click_ends_it_and_takes_that_back(actor: Any, product: Any, board: Any, mailbox: Mailbox) -> None:
    one = create_subscription(actor, product, board=board.number)
    address = stop_url(one).removeprefix("https://why.example")
    stranger = Client(enforce_csrf_checks=True)
    assert "One click ends it" in stranger.get(address).content.decode()
    assert Subscription.objects.get().is_on  # looking at it ends nothing
    stranger.post(address, {"List-Unsubscribe": "One-Click"})
    assert not Subscription.objects.get().is_on
    due_now(one)
    assert send_due() == 0
    stranger.post(address, {"act": "on"})
    assert Subscription.objects.get().is_on
    assert stranger.get(address[:-3]).status_code == 404


def test_who_is_no_member_any_more_gets_nothing(
    actor: Any, product: Any, board: Any, mailbox: Mailbox, api_bob: Any, bob: Any
) -> None:
    from whytree.workspace.models import Membership

    assert api_bob.post(PATH, {"board": board.number}).status == 201
    due_now(Subscription.objects.get())
    Membership.objects.filter(user=bob).delete()
    assert send_due() == 1
    run_all()
    assert mailbox.mails == []
    assert Letter.objects.get().state == "refused"


def test_a_question_that_can_no_longer_be_answered_says_so(
    actor: Any, product: Any, board: Any, mailbox: Mailbox
) -> None:
    from whytree.analytics.models import SavedQuestion

    asked = {"version": 1, "kind": "trends", "series": ["gone"]}
    SavedQuestion.objects.update(question=asked)
    due_now(create_subscription(actor, product, question="ASK-1"))
    send_due()
    run_all()
    assert "No event “gone” has been seen yet." in mailbox.mails[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_every_door(
    api: Any, api_viewer: Any, api_charlie: Any, as_alice: Any, as_viewer: Any, board: Any, mailbox: Mailbox
) -> None:
    made = api.post(PATH, {"board": board.number, "every": "day", "hour": 7, "zone": "Europe/Berlin"}).ok
    assert (made["when"], made["secret"]) == ("every day at 07:00, Europe/Berlin time", "")
    assert api.patch(f"{PATH}/1", {"is_on": False}).ok["is_on"] is False
    hooked = api.post(PATH, {"question": "ASK-1", "webhook": "https://hooks.example.org/x"}).ok
    assert (hooked["webhook_host"], hooked["secret"][:6]) == ("hooks.example.org", "whsec_")
    assert api_viewer.post(PATH, {"question": "ASK-1", "webhook": "https://hooks.example.org/x"}).status == 403
    assert api_viewer.post(PATH, {"question": "ASK-1"}).status == 201
    assert [one["number"] for one in api_viewer.get(PATH).ok] == [2, 3]  # Alice's mail is hers alone
    assert api_viewer.delete(f"{PATH}/1").status == 404
    assert api_viewer.delete(f"{PATH}/2").status == 403
    assert api_charlie.get(PATH).status == 404
    for odd in (
        {},
        {"board": 1, "question": "ASK-1"},
        {"board": 99},
        {"board": 1, "zone": "Mars/One"},
        {"board": 1, "hour": 24},
    ):
        assert api.post(PATH, odd).status in (400, 404)
    assert 'value="board:1" selected' in as_alice.get("/p/sprout/subscriptions?to=board:1").content.decode()
    page = as_alice.get("/p/sprout/subscriptions?to=question:ASK-1").content.decode()
    assert 'value="question:ASK-1" selected' in page
    sent = {"to": f"board:{board.number}", "every": "week", "weekday": "4", "hour": "17", "zone": "UTC"}
    assert as_viewer.post("/p/sprout/subscriptions", sent).status_code == 302
    assert "every Friday at 17:00" in as_viewer.get("/p/sprout/subscriptions").content.decode()
    refused = as_alice.post("/p/sprout/subscriptions", sent | {"zone": "Mars/One"})
    assert (refused.status_code, "no time zone" in refused.content.decode()) == (400, True)
    as_alice.post("/p/sprout/subscriptions/1/act", {"act": "on"})
    assert Subscription.objects.get(number=1).is_on
    as_alice.post("/p/sprout/subscriptions/1/act", {"act": "remove"})
    assert not Subscription.objects.filter(number=1).exists()


def test_without_a_mail_server_only_webhooks_are_taken(actor: Any, product: Any, board: Any) -> None:
    with pytest.raises(Conflict):
        create_subscription(actor, product, board=board.number)
    with pytest.raises(Invalid):
        create_subscription(actor, product, webhook="https://hooks.example.org/x")


def test_the_command_line_subscribes(terminal: Any) -> None:
    board = str(terminal.cli_json("board", "add", "Monday")["number"])
    made = terminal.cli_json("subscription", "add", board, "--daily", "--webhook", "https://hooks.example.org/x")
    assert made["when"].startswith("every day at 08:00")
    assert "Monday" in terminal.cli("subscription", "list").stdout
    terminal.cli("subscription", "remove", str(made["number"]))
    assert terminal.cli("subscription", "add", board, "--on", "someday", check=False).returncode == 1
