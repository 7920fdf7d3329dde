"""Alerts: looked at once a stretch, told once when a value leaves and once when it is back, by mail, webhook and on Today."""

import hashlib
import hmac
import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from tests.workspace.smtp import Mailbox, mail_server
from whytree.analytics.alerts.services import check_alert, create_alert, edit_alert, snooze_alert
from whytree.analytics.models import Alert, AlertEvent, Letter
from whytree.analytics.saved.services import keep_question
from whytree.analytics.services import create_metric
from whytree.errors import Invalid
from whytree.workspace.background.jobs import run_next
from whytree.workspace.models import Activity

PATH = "/products/sprout/alerts"
BAND = {"version": 1, "kind": "band", "low": 3}
CHANGE = {"version": 1, "kind": "change", "percent": 30}


@dataclass
class Receiver:
    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WHYTREE = replace(settings.WHYTREE, outgoing_private=True)
    noted = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            noted.got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(noted.answers.pop(0) if noted.answers else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    noted.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield noted
    server.shutdown()
    server.server_close()


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    with mail_server() as box:
        settings.WHYTREE = replace(settings.WHYTREE, smtp_url=box.url)
        yield box


@pytest.fixture
def opened(happened: Callable[..., None]) -> Callable[..., None]:
    """`opened(days_ago, times)`: so many people, that day at noon."""

    def write(days_ago: int, times: int) -> None:
        now = timezone.now()
        noon = (now - now.replace(hour=12, minute=0, second=0, microsecond=0)) / timedelta(days=1)
        for person in range(1, times + 1):
            happened(person, "opened", days_ago + noon)
        cache.clear()

    return write


@pytest.fixture
def opens(actor: Any, product: Any) -> Any:
    return create_metric(
        actor, product, key="opens", name="Opens", definition={"version": 1, "kind": "count", "event": "opened"}
    )


def later(days: float) -> Any:
    """So many days on, at noon: the day before is over for long enough."""
    return timezone.now().replace(hour=12, minute=0) + timedelta(days=days)


def run_all() -> None:
    for _ in range(20):
        if not run_next("here", timezone.now() + timedelta(hours=1)):
            return


def fresh() -> Alert:
    return Alert.objects.select_related("product", "metric__product", "saved").get()


@pytest.mark.usefixtures("opens")
def test_a_value_that_leaves_its_band_is_told_once_and_its_return_once(
    actor: Any, product: Any, opened: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    create_alert(actor, product, metric="opens", rule=BAND, mail=False)
    opened(1, 2)
    event = check_alert(fresh(), later(0))
    assert event is not None
    assert event.what == "left"
    assert event.says.startswith("Opens is outside its band: 2 on ")
    assert event.says.endswith("2 is below 3.")
    assert check_alert(fresh(), later(0)) is None  # looked at once a day
    assert fresh().state == "outside"
    assert AlertEvent.objects.count() == 1


@pytest.mark.usefixtures("opens")
def test_a_metric_may_be_watched_week_by_week(actor: Any, product: Any, opened: Callable[..., None]) -> None:
    create_alert(actor, product, metric="opens", rule=BAND | {"low": 8, "each": "week"}, mail=False)
    for day in range(1, 15):
        opened(day, 1)
    event = check_alert(fresh(), later(0))
    assert event is not None
    assert event.says.startswith("Opens is outside its band: 7 in the week from ")
    assert event.bucket.weekday() == 0
    assert check_alert(fresh(), later(0)) is None


def test_a_change_of_days_outside_is_told_once_and_recovery_is_told(
    actor: Any, product: Any, opens: Any, opened: Callable[..., None]
) -> None:
    create_alert(actor, product, metric="opens", rule=BAND, mail=False)
    opened(1, 2)
    check_alert(fresh(), later(0))
    Alert.objects.update(bucket=fresh().bucket - timedelta(days=1))
    assert check_alert(fresh(), later(0)) is None  # still outside: nothing new
    opened(1, 9)
    Alert.objects.update(bucket=fresh().bucket - timedelta(days=1))
    event = check_alert(fresh(), later(0))
    assert event is not None
    assert (event.what, fresh().state) == ("recovered", "inside")
    assert "is back inside its band: 11" in event.says


def test_a_day_that_is_not_over_is_not_looked_at(
    actor: Any, product: Any, opens: Any, opened: Callable[..., None]
) -> None:
    create_alert(actor, product, metric="opens", rule=BAND, mail=False)
    opened(1, 5)
    midnight = timezone.now().replace(hour=0, minute=30)
    check_alert(fresh(), midnight)  # yesterday is over for half an hour only: the day before is looked at, with none
    assert fresh().state == "outside"
    check_alert(fresh(), midnight + timedelta(hours=1))
    assert fresh().state == "inside"


def test_two_workers_tell_once(actor: Any, product: Any, opens: Any, opened: Callable[..., None]) -> None:
    create_alert(actor, product, metric="opens", rule=BAND, mail=False)
    opened(1, 2)
    one, other = fresh(), fresh()
    assert check_alert(one, later(0)) is not None
    assert check_alert(other, later(0)) is None
    assert AlertEvent.objects.count() == 1


def test_asleep_it_says_nothing_and_awake_it_tells_what_is_still_outside(
    actor: Any, product: Any, opens: Any, opened: Callable[..., None], as_alice: Any
) -> None:
    create_alert(actor, product, metric="opens", rule=BAND, mail=False)
    opened(1, 2)
    check_alert(fresh(), later(0))
    assert "Opens" in as_alice.get("/p/sprout/today").content.decode()
    snooze_alert(actor, product, 1, hours=24)
    assert check_alert(fresh(), later(0)) is None
    assert "is outside its band" not in as_alice.get("/p/sprout/today").content.decode()
    AlertEvent.objects.update(bucket=fresh().created_at.date() - timedelta(days=30))  # that was another day's
    Alert.objects.update(snoozed_until=timezone.now() - timedelta(days=1))
    assert check_alert(fresh(), later(0)) is not None
    with pytest.raises(Invalid, match="1 hour to 366 days"):
        snooze_alert(actor, product, 1, hours=-1)


def test_a_kept_trend_is_watched_by_its_own_stretches(
    actor: Any, product: Any, opened: Callable[..., None], store: Any
) -> None:
    for week in range(1, 6):
        opened(7 * week, 40)
    opened(0, 1)
    asked = {"version": 1, "kind": "trends", "series": ["opened"], "interval": "day", "days": 60}
    saved = keep_question(actor, product, title="Opens", question=asked)
    create_alert(actor, product, question=saved.ref, rule=CHANGE, mail=False)
    event = check_alert(fresh(), later(1))
    assert event is None or event.what == "left"
    assert fresh().bucket is not None


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"kind": "funnel", "steps": ["opened"]}, "no trend by day, week or month"),
        ({"kind": "trends", "series": ["opened"], "interval": "hour"}, "no trend by day"),
        ({"kind": "trends", "series": ["opened"], "until": "2026-05-01"}, "moves no more"),
        ({"kind": "trends", "series": ["opened"], "by": "platform"}, "several lines"),
        ({"kind": "trends", "series": ["opened", "opened"]}, "several lines"),
    ],
)
def test_what_has_no_one_line_cannot_be_watched(
    actor: Any, product: Any, opened: Callable[..., None], asked: dict[str, Any], words: str
) -> None:
    opened(1, 1)
    saved = keep_question(actor, product, title="Opens", question={"version": 1, **asked})
    with pytest.raises(Invalid, match=words):
        create_alert(actor, product, question=saved.ref, rule=BAND)


def test_it_is_told_by_mail_and_by_a_webhook_that_is_signed(
    actor: Any,
    product: Any,
    opens: Any,
    opened: Callable[..., None],
    receiver: Receiver,
    mailbox: Mailbox,
    as_alice: Any,
) -> None:
    made = create_alert(actor, product, metric="opens", rule=BAND, webhook=receiver.url)
    opened(1, 2)
    check_alert(fresh(), later(0))
    receiver.answers.append(503)  # wants it later: the job comes again
    run_all()
    run_all()
    assert len(receiver.got) == 2
    (first, again) = receiver.got
    assert first[0]["webhook-id"] == again[0]["webhook-id"]
    headers, body = again
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = b64decode(made.secret.removeprefix("whsec_"))
    assert headers["webhook-signature"] == "v1," + b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    message = json.loads(body)
    assert (message["type"], message["data"]["metric"], message["data"]["value"]) == ("alert.left", "opens", 2.0)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Opens: outside its band"
    assert "/p/sprout/alerts/1" in mail.get_content()
    assert set(Letter.objects.values_list("state", flat=True)) == {"sent"}
    page = as_alice.get("/p/sprout/alerts/1").content.decode()
    assert "webhook: sent" in page
    assert "Opens is outside its band: 2 on" in page
    run_all()
    assert (len(receiver.got), len(mailbox.mails)) == (2, 1)


def test_a_letter_that_was_cut_off_is_not_sent_again(
    actor: Any, product: Any, opens: Any, opened: Callable[..., None], receiver: Receiver
) -> None:
    create_alert(actor, product, metric="opens", rule=BAND, webhook=receiver.url, mail=False)
    opened(1, 2)
    check_alert(fresh(), later(0))
    Letter.objects.update(state=Letter.State.SENDING)
    run_all()
    assert receiver.got == []


def test_who_is_no_member_any_more_gets_nothing(
    bob: Any, product: Any, opens: Any, opened: Callable[..., None], mailbox: Mailbox, api_bob: Any
) -> None:
    assert api_bob.post(PATH, {"metric": "opens", "rule": BAND}).status == 201
    from whytree.workspace.models import Membership

    Membership.objects.filter(user=bob).delete()
    opened(1, 2)
    check_alert(fresh(), later(0))
    run_all()
    assert mailbox.mails == []
    assert Letter.objects.get().state == "refused"


def test_every_door(api: Any, api_viewer: Any, api_charlie: Any, as_alice: Any, opens: Any, store: Any) -> None:
    made = api.post(PATH, {"metric": "opens", "rule": CHANGE, "webhook": "https://hooks.example.org/x"})
    assert made.status == 201
    assert made.ok["secret"].startswith("whsec_")
    listed = api.get(PATH).ok[0]
    assert "secret" not in listed
    assert listed["webhook_host"] == "hooks.example.org"
    assert "hooks.example.org/x" not in json.dumps(list(Activity.objects.values_list("after", flat=True)))
    assert api.patch(f"{PATH}/1", {"rule": BAND}).ok["sentence"] == "below 3"
    assert api.patch(f"{PATH}/1", {"webhook": ""}).ok["webhook_host"] == ""
    assert api.post(f"{PATH}/1/snooze", {"hours": 5}).ok["snoozed_until"]
    assert api.get(f"{PATH}/1").ok["events"] == []
    assert api.post(PATH, {"metric": "none", "rule": BAND}).status == 404
    assert api.post(PATH, {"rule": BAND}).status == 400
    assert api.post(PATH, {"metric": "opens", "rule": BAND, "webhook": "ftp://x"}).status == 400
    assert (api_viewer.get(PATH).status, api_viewer.post(PATH, {"metric": "opens", "rule": BAND}).status) == (200, 403)
    assert api_charlie.get(f"{PATH}/1").status == 404
    page = as_alice.get("/p/sprout/alerts?on=metric:opens").content.decode()
    assert 'value="metric:opens" selected' in page
    sent = {"on": "metric:opens", "kind": "change", "percent": "25,5", "weeks": "4", "way": "down", "mail": "1"}
    assert as_alice.post("/p/sprout/alerts", sent).status_code == 302
    assert Alert.objects.get(number=2).rule["percent"] == 25.5
    refused = as_alice.post("/p/sprout/alerts", sent | {"percent": "lots"})
    assert (refused.status_code, "is no number" in refused.content.decode()) == (400, True)
    assert as_alice.get("/p/sprout/alerts/2").status_code == 200
    as_alice.post("/p/sprout/alerts/2/act", {"act": "snooze", "hours": "24"})
    assert Alert.objects.get(number=2).snoozed_until
    as_alice.post("/p/sprout/alerts/2/act", {"act": "remove"})
    assert api.delete(f"{PATH}/1").status == 204
    assert not Alert.objects.exists()


def test_another_rule_begins_anew(actor: Any, product: Any, opens: Any, opened: Callable[..., None]) -> None:
    create_alert(actor, product, metric="opens", rule=BAND, mail=False)
    opened(1, 2)
    check_alert(fresh(), later(0))
    edit_alert(actor, product, 1, rule={**BAND, "low": 1})
    assert fresh().state == "inside"
    check_alert(fresh(), later(0))
    assert fresh().state == "inside"


def test_the_command_line_watches(terminal: Any) -> None:
    terminal.cli("metric", "add", "watched", "--count", "opened")
    made = terminal.cli_json("alert", "add", "watched", "--low", "3")
    assert made["sentence"] == "below 3"
    assert "watched" in terminal.cli("alert", "list").stdout
    number = str(made["number"])
    assert "sleeps until" in terminal.cli("alert", "snooze", number).stdout
    shown = terminal.cli_json("alert", "show", number)  # the server may have looked at it already
    assert (shown["sentence"], bool(shown["snoozed_until"])) == ("below 3", True)
    assert terminal.cli("alert", "add", "watched", check=False).returncode == 1
    terminal.cli("alert", "remove", number)
