"""Asked, got it, used it, says it is solved: the way back to those who asked."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.workspace.smtp import Mailbox, mail_server
from whytree.errors import Conflict, Invalid, NotFound
from whytree.flags.models import Flag
from whytree.people.identity import person_hash
from whytree.people.models import Person
from whytree.people.services import join
from whytree.tree.models import EvidenceLink
from whytree.voice.contacts import set_wish
from whytree.voice.jobs import tell_all_reached, tell_one_reached
from whytree.voice.models import FeedbackItem, Requester
from whytree.voice.queries.loop import loop_of
from whytree.voice.services import link_excerpt, loop
from whytree.workspace.models import Activity, Job
from whytree.workspace.outside.mail import MailServerDown

from .conftest import Done

_ids = count(1)


@pytest.fixture
def solution(actor: Any, product: Any, opportunity: Any) -> Any:
    from whytree.analytics.services import create_metric
    from whytree.flags.services import create_flag
    from whytree.tree.services import create_hypothesis, create_solution

    definition = {"version": 1, "kind": "conversion", "from": "signed_up", "to": "planted", "within_days": 7}
    create_metric(actor, product, key="activated", name="Activated", definition=definition)
    made = create_solution(actor, product, opportunity=opportunity, title="Ask for the number later")
    hypothesis = create_hypothesis(
        actor,
        made,
        change="The number is asked for later",
        metric_key="activated",
        forecast_low=1.0,
        forecast_likely=2.0,
        forecast_high=3.0,
    )
    create_flag(actor, product, key="ask_later", solution=made, hypothesis=hypothesis)
    return made


@pytest.fixture
def happened(store: Any, product: Any) -> Callable[..., None]:
    """`happened("mira", "$exposure", days_ago, variant="on")`."""

    def write(person: str, event: str, days_ago: float, **properties: str) -> None:
        at = timezone.now() - timedelta(days=days_ago)
        row = {"product": product.pk, "person": person_hash(product.pk, person), "distinct_id": person, "event": event}
        met = {"flag": "ask_later", "reason": "SPLIT", **properties} if event == "$exposure" else {}
        store.insert("events", [{**row, "timestamp": at, "received_at": at, "event_id": next(_ids), "properties": met}])

    return write


@pytest.fixture
def asked(actor: Any, say: Any, opportunity: Any, happened: Any) -> None:
    """Mira uses it, Jo has it, Ann is in the other arm, Tom did the same before he had it; and somebody unknown."""
    for person in ("mira", "jo", "ann", "tom", ""):
        item = say(
            f"no number, says {person or 'nobody'}", person=person, author_email=f"{person}@example.org" * bool(person)
        )
        link_excerpt(actor, item, opportunity)
    happened("mira", "$exposure", 5, variant="on")
    happened("mira", "planted", 4)
    happened("jo", "$exposure", 3, variant="on")
    happened("ann", "$exposure", 3, variant="off")
    happened("ann", "planted", 2)
    happened("tom", "planted", 9)
    happened("tom", "$exposure", 3, variant="on")
    happened("stranger", "$exposure", 3, variant="on")


def test_the_funnel_counts_each_who_asked_once(solution: Any, asked: None) -> None:
    way = loop_of(solution)
    assert way.funnel == [("asked", 4), ("exposed", 3), ("used", 1), ("solved", 0)]
    assert (way.unknown, way.used_event, way.flags) == (1, "planted", ["ask_later"])
    assert sorted(one.key for one in way.to_tell) == ["jo", "mira", "tom"]
    assert [one.key for one in way.to_ask] == ["mira"]


def test_an_event_of_its_own_says_what_using_is(actor: Any, solution: Any, asked: None, happened: Any) -> None:
    happened("jo", "number skipped", 1)
    loop.set_loop(actor, solution, used_event="number skipped")
    assert [one.key for one in loop_of(solution).to_ask] == ["jo"]


def test_nobody_is_told_before_they_have_it_or_asked_before_they_used_it(
    actor: Any, solution: Any, asked: None
) -> None:
    with pytest.raises(Conflict, match="has not reached them"):
        loop.tell(actor, solution, ["ann"], by_mail=False)
    with pytest.raises(Conflict, match="not used it yet"):
        loop.ask(actor, solution, ["jo"], by_mail=False)
    with pytest.raises(NotFound, match="did not ask"):
        loop.tell(actor, solution, ["stranger"], by_mail=False)
    assert loop.tell(actor, solution, ["jo", "mira"], by_mail=False) == 2
    assert [one.key for one in loop_of(solution).to_tell] == ["tom"]


def test_any_of_their_ids_tells_somebody(actor: Any, product: Any, solution: Any, asked: None) -> None:
    join(actor, product, "mira", "mira-at-work")
    assert loop.tell(actor, solution, ["mira-at-work"], by_mail=False) == 1
    assert sorted(one.key for one in loop_of(solution).to_tell) == ["jo", "tom"]


def test_a_mail_carries_the_changelog_and_never_their_own_words(
    actor: Any, solution: Any, asked: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr("whytree.voice.services.loop.is_set", lambda: True)
    monkeypatch.setattr("whytree.voice.services.loop.send", sent.append)  # somebody else's server
    with pytest.raises(Invalid, match="Write first what they are told"):
        loop.tell(actor, solution, ["mira"], by_mail=True)
    loop.set_loop(actor, solution, message="You can look around before we ask.")
    Person.objects.filter(key="mira").update(email_proved=False)
    with pytest.raises(Conflict, match="only a page or a mail"):
        loop.tell(actor, solution, ["jo", "mira"], by_mail=True)
    assert not sent, "all are looked at first"
    assert loop_of(solution).unproved == 1
    loop.tell(actor, solution, ["mira"], by_mail=True, unproved=True)
    Person.objects.filter(key="mira").update(email_proved=True)
    with pytest.raises(Conflict, match="WHYTREE_PUBLIC_URL"):
        loop.ask(actor, solution, ["mira"], by_mail=True)
    settings.WHYTREE = replace(settings.WHYTREE, public_url="https://sprout.example.org")
    loop.ask(actor, solution, ["mira"], by_mail=True)
    told, question = sent
    assert (told.to, "look around" in told.text) == ("mira@example.org", True)
    assert "no number, says mira" not in told.text + question.text, "anybody with a public key may have set the address"
    assert "https://sprout.example.org/solved/" in question.text
    assert all(mail.stop_url in mail.text and mail.stop_url for mail in sent)
    assert Requester.objects.get(person_key="mira").asked_at is not None


def test_who_wants_to_be_left_alone_is_neither_told_nor_asked(
    actor: Any, product: Any, solution: Any, asked: None
) -> None:
    set_wish(actor, product, "mira", False)
    way = loop_of(solution)
    assert (sorted(one.key for one in way.to_tell), way.to_ask) == (["jo", "tom"], [])
    with pytest.raises(Conflict, match="left alone"):
        loop.ask(actor, solution, ["mira"], by_mail=False)


def test_neither_the_team_nor_the_forgotten_have_asked(
    actor: Any, product: Any, solution: Any, asked: None, say: Any, opportunity: Any
) -> None:
    from whytree.people.services import erase

    link_excerpt(actor, say("ours", person="colleague", from_team=True), opportunity)
    erase(actor, product, "jo")
    assert sorted(one.key for one in loop_of(solution).askers) == ["ann", "mira", "tom"]


def test_without_a_mail_server_it_says_what_to_do(actor: Any, solution: Any, asked: None) -> None:
    loop.set_loop(actor, solution, message="There.")
    with pytest.raises(Conflict, match="Copy the message"):
        loop.tell(actor, solution, ["mira"], by_mail=True)
    assert not Requester.objects.filter(told_at__isnull=False).exists()


# The switch


@pytest.fixture
def box(actor: Any, solution: Any, asked: None, settings: Any) -> Iterator[Mailbox]:
    """A mail server, the flag on, a message written, and Tom's address only what a page said."""
    Flag.objects.update(is_on=True)
    Person.objects.filter(key="tom").update(email_proved=False)
    loop.set_loop(actor, solution, message="You can look around before we ask.")
    with mail_server() as found:
        settings.WHYTREE = replace(settings.WHYTREE, smtp_url=found.url)
        yield found


def _hour(solution: Any) -> None:
    """What the hourly job does, and the job that it asks for."""
    tell_all_reached({})
    if Job.objects.filter(kind="voice.tell_reached", state=Job.State.WAITING).delete()[0]:
        tell_one_reached({"solution": solution.pk})


def test_the_switch_tells_each_who_has_it_and_is_proved_once(
    actor: Any, product: Any, solution: Any, box: Mailbox, happened: Any
) -> None:
    _hour(solution)
    assert not box.mails, "off until somebody switches it on"
    loop.set_loop(actor, solution, tells=True)
    Flag.objects.update(is_on=False)
    _hour(solution)
    assert not box.mails, "what is taken back is not there"
    Flag.objects.update(is_on=True)
    _hour(solution)
    _hour(solution)
    assert sorted(mail["To"] for mail in box.mails) == ["jo@example.org", "mira@example.org"]
    assert "look around" in (words := box.mails[0].get_content())
    assert "/replies/stop/" in words
    assert [one.key for one in loop_of(solution).to_tell] == ["tom"]
    assert {one.actor for one in Activity.objects.filter(verb="tell")} == {f"The switch of {solution.ref}"}
    loop.set_loop(actor, solution, tells=False)
    happened("ann", "$exposure", 0.1, variant="on")
    _hour(solution)
    assert len(box.mails) == 2


def test_the_switch_lets_no_refused_address_stop_the_others_and_leaves_it_for_a_week(
    actor: Any, product: Any, solution: Any, box: Mailbox
) -> None:
    loop.set_loop(actor, solution, tells=True)
    box.answers[:] = ["550 no such user"]
    _hour(solution)
    _hour(solution)
    assert len(box.mails) == 1
    Requester.objects.filter(told_at=None).update(refused_at=timezone.now() - loop.AGAIN)
    _hour(solution)
    assert sorted(mail["To"] for mail in box.mails) == ["jo@example.org", "mira@example.org"]


def test_the_switch_writes_once_to_an_address_and_to_none_where_somebody_wants_peace(
    actor: Any, product: Any, solution: Any, box: Mailbox
) -> None:
    Person.objects.filter(key="tom").update(email="Jo@example.org", email_proved=True)
    set_wish(actor, product, "mira", False)
    loop.set_loop(actor, solution, tells=True)
    _hour(solution)
    assert [mail["To"].lower() for mail in box.mails] == ["jo@example.org"]
    assert loop_of(solution).to_tell == []


def test_the_switch_goes_on_where_the_mail_server_went_away(
    actor: Any, solution: Any, box: Mailbox, settings: Any
) -> None:
    loop.set_loop(actor, solution, tells=True)
    settings.WHYTREE = replace(settings.WHYTREE, smtp_url="smtp://127.0.0.1:9")
    with pytest.raises(MailServerDown):
        _hour(solution)
    settings.WHYTREE = replace(settings.WHYTREE, smtp_url=box.url)
    _hour(solution)
    assert len(box.mails) == 2


def test_the_switch_at_all_doors(
    as_bob: Any, as_viewer: Any, api: Any, api_viewer: Any, cli: Callable[..., Done], solution: Any, asked: None
) -> None:
    page, door = f"/p/sprout/{solution.ref}/requesters", f"/products/sprout/solutions/{solution.ref}/loop"
    assert api.put(door, {"tells": True}).status == 400, "nothing is written that they could be told"
    assert as_viewer.post(f"{page}/act", {"act": "switch_on", "message": "There."}).status_code == 403
    assert api_viewer.put(door, {"tells": True, "message": "There."}).status == 403
    as_bob.post(f"{page}/act", {"act": "switch_on", "message": "There."})
    shown = as_bob.get(page).content.decode()
    assert "Switch off" in shown
    assert "nobody is told by itself until there is one" in shown
    told = api.get(door).ok
    assert (told["tells"], told["mail_is_set"]) == (True, False)
    assert "no mail server is set" in cli("solution", "loop", solution.ref).out
    as_bob.post(f"{page}/act", {"act": "set", "message": "It is there."})
    assert cli("solution", "loop", solution.ref, "--json").json["tells"] is True, "saving leaves it as it is"
    assert cli("solution", "loop", solution.ref, "--no-tell-each", "--json").json["tells"] is False
    assert "Tell each when it reaches them" in as_bob.get(page).content.decode()


# The one question


@pytest.fixture
def question(actor: Any, solution: Any, asked: None) -> str:
    """Mira's link."""
    loop.ask(actor, solution, ["mira"], by_mail=False)
    return loop.link_for(actor, solution, "mira")


def test_looking_at_the_question_answers_nothing(question: str) -> None:
    page = Client().get(question)
    assert (page.status_code, "Did this solve it?" in page.content.decode()) == (200, True)
    assert page["Referrer-Policy"] == "no-referrer"
    assert Requester.objects.get(person_key="mira").answered_at is None


def test_a_no_opens_the_opportunity_again_with_their_words_as_evidence(
    actor: Any, question: str, solution: Any, opportunity: Any
) -> None:
    from whytree.tree.services import close_node

    close_node(actor, opportunity, reason="solved", with_children=True)
    Client(enforce_csrf_checks=True).post(question, {"solved": "no", "words": "It asks at the next screen"})
    opportunity.refresh_from_db()
    assert not opportunity.is_closed
    item = FeedbackItem.objects.get(source_type="loop")
    assert (item.text, item.person_key, item.metadata["answer"]) == ("It asks at the next screen", "mira", "no")
    stances = {(link.node_kind, link.stance) for link in EvidenceLink.objects.filter(source_id=item.ref)}
    assert stances == {("OPP", "supports"), ("SOL", "contradicts")}
    way = loop_of(solution)
    assert (dict(way.funnel)["solved"], way.not_solved, way.to_ask) == (0, 1, [])


def test_a_changed_mind_replaces_the_answer(question: str, solution: Any) -> None:
    guest = Client()
    guest.post(question, {"solved": "no"})
    page = guest.post(question, {"solved": "yes", "words": "<b>now</b> it does"}).content.decode()
    assert "Thank you" in page
    item = FeedbackItem.objects.get(source_type="loop")
    assert (item.text, item.metadata["answer"]) == ("<b>now</b> it does", "yes")
    assert EvidenceLink.objects.get(source_id=item.ref, node_kind="SOL").stance == "supports"
    assert not EvidenceLink.objects.filter(source_id=item.ref, node_kind="OPP").exists()
    assert dict(loop_of(solution).funnel)["solved"] == 1


@pytest.mark.parametrize("token", ["x", "1.x", "99999:aaaa", "1", "%00"])
def test_no_link_is_guessed(question: str, token: str) -> None:
    assert Client().get(f"/solved/{token}").status_code == 404


def test_a_link_is_only_its_own(question: str) -> None:
    pk, _, rest = question.rsplit("/", 1)[1].partition(".")
    assert Client().post(f"/solved/{int(pk) + 1}.{rest}", {"solved": "yes"}).status_code == 404
    assert Client().post(question, {"solved": "maybe"}).status_code == 400
    assert Client().post(question, {"solved": "no", "words": "x" * 5000}).status_code == 400
    assert not FeedbackItem.objects.filter(source_type="loop").exists()


# Doors


def test_pages_show_the_same_as_the_api_and_the_command(
    as_bob: Any, api: Any, cli: Callable[..., Done], solution: Any, asked: None
) -> None:
    page = as_bob.get(f"/p/sprout/{solution.ref}").content.decode()
    assert "Those who asked" in page
    assert "3 of them have it and were not told." in page
    page = as_bob.get(f"/p/sprout/{solution.ref}/requesters").content.decode()
    assert "4 asked for this; 3 have it and were not told" in page
    told = api.get(f"/products/sprout/solutions/{solution.ref}/loop").ok
    assert {one["step"]: one["people"] for one in told["funnel"]} == {"asked": 4, "exposed": 3, "used": 1, "solved": 0}
    lines = cli("solution", "loop", solution.ref, "--tell", "jo").out
    assert "to tell  mira" in lines
    assert "to tell  jo" not in lines
    assert "/solved/" in cli("solution", "loop", solution.ref, "--link", "mira").out


def test_who_may_tell(as_viewer: Any, as_charlie: Any, api_viewer: Any, solution: Any, asked: None) -> None:
    path = f"/p/sprout/{solution.ref}/requesters"
    assert as_viewer.get(path).status_code == 200
    assert as_viewer.post(f"{path}/act", {"act": "tell", "person": "jo"}).status_code == 403
    assert as_charlie.get(path).status_code == 404
    assert api_viewer.post(f"/products/sprout/solutions/{solution.ref}/loop/tell", {"people": ["jo"]}).status == 403
