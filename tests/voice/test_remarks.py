"""Private notes stay with the team; official answers reach those who said it, merged voices too."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from whytree.errors import Conflict, Invalid, NotFound, TooMany, Unavailable
from whytree.people.models import Person
from whytree.voice.contacts import set_wish
from whytree.voice.models import FeedbackItem, Remark
from whytree.voice.pages import reading
from whytree.voice.plugs import export_person
from whytree.voice.services import add_note, answer_voice, merge, recipients, remarks, remove_remark
from whytree.voice.services.erasing import erase_feedback
from whytree.workspace.models import Activity
from whytree.workspace.outside.mail import Mail, MailRefused
from whytree.workspace.records.activity import undo

from .conftest import Done


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> list[Mail]:
    """A mail server that takes everything, and what it took."""
    taken: list[Mail] = []
    monkeypatch.setattr(remarks, "is_set", lambda: True)
    monkeypatch.setattr(remarks, "send", taken.append)
    return taken


@pytest.fixture
def item(say: Any) -> Any:
    return say("the export fails", person="mira", author_email="mira@example.org")


def fresh(item: Any) -> FeedbackItem:
    return FeedbackItem.objects.select_related("product", "merged_into").get(pk=item.pk)


def test_an_answer_reaches_all_who_said_so_once(actor: Any, say: Any, item: Any, post: list[Mail]) -> None:
    merge(actor, say("export broken", person="jo", author_email="jo@example.org"), item)
    merge(actor, say("export broken again", person="jo2", author_email="JO@example.org"), item)
    merge(actor, say("anonymous says so too"), item)
    merge(actor, say("me too", person="ana", author_email="ana@example.org", from_team=True), item)
    made = answer_voice(actor, fresh(item), "It is fixed in 4.2.", by_mail=True)
    assert (made.mailed, [mail.to for mail in post]) == (2, ["mira@example.org", "jo@example.org"])
    told = r"It is fixed in 4\.2\.\n\nYou told us on \d+ \w+ \d{4}\.\n\nRather not hear from us\? .*"
    assert re.fullmatch(told, post[1].text), "never their own words"
    assert post[1].text.endswith(post[1].stop_url), "what a mail program's own button presses"
    assert "Sprout" in post[0].subject


def test_an_address_that_only_a_page_said_gets_no_mail_unless_somebody_wants_it(
    actor: Any, product: Any, say: Any, item: Any, post: list[Mail], as_bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "is_set", lambda: True)
    set_wish(actor, product, say("export is slow", person="ann", author_email="ann@example.org").person_key, False)
    for person in ("jo", "ann"):
        merge(actor, say("export broken", person=person, author_email=f"{person}@example.org"), item)
    Person.objects.filter(product=product).exclude(key="ann").update(email_proved=False)
    page = as_bob.get("/p/sprout/FB-1").content.decode()
    assert "mira@example.org</span>, <span" in page
    assert "by mail, to" not in page
    with pytest.raises(Conflict, match="Only a page or a mail said"):
        answer_voice(actor, fresh(item), "Fixed", by_mail=True)
    Person.objects.filter(key="jo").update(email_proved=True)
    assert answer_voice(actor, fresh(item), "Fixed", by_mail=True).mailed == 1
    assert answer_voice(actor, fresh(item), "Fixed.", by_mail=True, unproved=True).mailed == 2
    assert [mail.to[:4] for mail in post] == ["jo@e", "mira", "jo@e"], "and never Ann, who wants to be left alone"


def test_nothing_is_kept_that_should_have_gone_and_did_not(
    actor: Any, say: Any, item: Any, post: list[Mail], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Conflict, match="Nobody knows an address"):
        answer_voice(actor, say("who am I"), "Hello", by_mail=True)
    monkeypatch.setattr(remarks, "MOST_MAILED", 0)
    with pytest.raises(Conflict, match="mails"):
        answer_voice(actor, item, "Hello", by_mail=True)
    monkeypatch.setattr(remarks, "MOST_MAILED", 100)

    def refuse(mail: Mail) -> None:
        raise MailRefused("no such mailbox")

    monkeypatch.setattr(remarks, "send", refuse)
    with pytest.raises(Conflict, match="no such mailbox"):
        answer_voice(actor, item, "Hello", by_mail=True)
    monkeypatch.setattr(remarks, "is_set", lambda: False)
    with pytest.raises(Conflict, match="No mail server"):
        answer_voice(actor, item, "Hello", by_mail=True)
    assert not Remark.objects.exists()


def test_one_refused_mail_does_not_hide_those_that_went(
    actor: Any, say: Any, item: Any, post: list[Mail], monkeypatch: pytest.MonkeyPatch
) -> None:
    merge(actor, say("export broken", person="jo", author_email="jo@example.org"), item)

    def half(mail: Mail) -> None:
        if mail.to.startswith("jo"):
            raise Unavailable("away", retry_after=1)
        post.append(mail)

    monkeypatch.setattr(remarks, "send", half)
    assert answer_voice(actor, fresh(item), "Fixed", by_mail=True).mailed == 1


@pytest.mark.parametrize("text", ["", " \n", "\0", "x" * 10_001])
def test_something_has_to_be_said(actor: Any, item: Any, text: str) -> None:
    with pytest.raises(Invalid):
        add_note(actor, item, text)
    with pytest.raises(Invalid):
        answer_voice(actor, item, text)


def test_one_takes_back_ones_own(actor: Any, product: Any, item: Any, bob: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    note = add_note(actor, item, "call her")
    with pytest.raises(Conflict, match="Only whoever wrote it"):
        remove_remark(actor_of_user(bob), item, note.pk)
    with pytest.raises(NotFound):
        remove_remark(actor, item, 99)
    remove_remark(actor, item, note.pk)
    undo(actor, product, Activity.objects.latest("pk").pk)
    assert Remark.objects.get().text == "call her"


def test_what_was_said_of_a_person_is_given_to_them_and_forgotten_with_them(
    actor: Any, product: Any, item: Any
) -> None:
    add_note(actor, item, "mira is a VIP")
    assert export_person(product, "mira")["feedback"][0]["remarks"][0]["text"] == "mira is a VIP"
    erase_feedback(product, "mira")
    assert not Remark.objects.exists()
    assert not Activity.objects.filter(after__icontains="VIP").exists()
    assert recipients(fresh(item)) == []


def test_the_same_answer_goes_out_once(actor: Any, item: Any, post: list[Mail]) -> None:
    answer_voice(actor, item, "It is fixed in 4.2.", by_mail=True)
    with pytest.raises(Conflict, match="these very words already"):
        answer_voice(actor, item, " It is fixed in 4.2.\r\n", by_mail=True)
    assert len(post) == 1


def test_nobody_mails_without_end(actor: Any, item: Any, post: list[Mail], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remarks, "PRESSES", 2)
    for words in ("one", "two"):
        answer_voice(actor, item, words, by_mail=True)
    with pytest.raises(TooMany):
        answer_voice(actor, item, "three", by_mail=True)
    assert len(post) == 2


def test_the_page_notes_and_answers(as_bob: Any, as_viewer: Any, as_charlie: Any, item: Any, say: Any) -> None:
    page = as_bob.post("/p/sprout/FB-1/remarks", {"text": "<b>call</b>", "kind": "note"}, follow=True).content.decode()
    assert "for the team alone" in page
    assert "&lt;b&gt;call&lt;/b&gt;" in page
    page = as_bob.post("/p/sprout/FB-1/remarks", {"text": "Fixed.", "kind": "answer"}, follow=True).content.decode()
    assert "FB-1 is answered." in page
    assert "official answer" in page
    assert "Send an answer by mail" not in page  # no server is set
    assert (
        "There is nothing in it yet"
        in as_bob.post("/p/sprout/FB-1/remarks", {"text": ""}, follow=True).content.decode()
    )
    assert as_viewer.post("/p/sprout/FB-1/remarks", {"text": "x"}).status_code == 403
    assert as_charlie.post("/p/sprout/FB-1/remarks", {"text": "x"}).status_code == 404
    first = Remark.objects.earliest("pk")
    as_bob.post(f"/p/sprout/FB-1/remarks/{first.pk}/remove")
    assert Remark.objects.count() == 1


def test_notes_stay_out_of_what_leaves_the_house(as_bob: Any, actor: Any, item: Any) -> None:
    add_note(actor, item, "internal secret")
    sent = b"".join(as_bob.get("/p/sprout/voices/export.jsonl?state=all").streaming_content)
    assert b"internal secret" not in sent


def test_api_and_command_line(api: Any, api_viewer: Any, cli: Callable[..., Done], item: Any, post: list[Mail]) -> None:
    made = api.post("/products/sprout/feedback/FB-1/remarks", {"text": "call her"}).ok
    assert (made["kind"], made["by"]) == ("note", "Alice")
    assert api_viewer.post("/products/sprout/feedback/FB-1/remarks", {"text": "x"}).status == 403
    assert api.post("/products/sprout/feedback/FB-1/remarks", {"text": "x", "kind": "shout"}).status in (400, 422)
    assert "FB-1 is answered, by mail to 1 person." in cli("feedback", "answer", "FB-1", "Fixed.", "--mail").out
    assert "Noted on FB-1" in cli("feedback", "note", "fb-1", "again").out
    shown = cli("feedback", "show", "FB-1").out
    assert "answered" in shown
    assert "noted" in shown
    assert [one["kind"] for one in api.get("/products/sprout/feedback/FB-1").ok["remarks"]] == [
        "note",
        "answer",
        "note",
    ]
    assert api.delete(f"/products/sprout/feedback/FB-1/remarks/{made['id']}").status == 204
