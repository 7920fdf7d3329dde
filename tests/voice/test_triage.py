"""Sorting voices: one or many at once, taken back as one act, at every door."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from whytree.errors import Conflict, Invalid, NotFound
from whytree.tree.models import EvidenceLink
from whytree.voice import queries
from whytree.voice.models import FeedbackItem, Highlight, SavedView, Status
from whytree.voice.queries import Wanted
from whytree.voice.services import Act, add_status, save_view, triage, undo_triage
from whytree.workspace.models import Activity

from .conftest import Done


@pytest.fixture
def three(say: Any) -> list[Any]:
    return [say(f"voice number {number}", said_at=f"2026-01-0{number}") for number in (1, 2, 3)]


def fresh(items: list[Any]) -> list[FeedbackItem]:
    return list(FeedbackItem.objects.filter(pk__in=[item.pk for item in items]).order_by("pk"))


def waiting(product: Any) -> list[str]:
    return [item.text for item in queries.page_of(product, Wanted()).items]


def test_many_at_once_and_taken_back_at_once(actor: Any, product: Any, three: list[Any]) -> None:
    done = triage(actor, product, three[:2], Act("put_away"))
    assert (done.changed, done.said, waiting(product)) == (2, "put away", ["voice number 3"])
    assert Activity.objects.filter(verb="put_away").count() == 2
    assert undo_triage(actor, product, done.activities) == 2
    assert len(waiting(product)) == 3


def test_linking_is_taken_back_with_its_mark_and_its_wait(
    actor: Any, product: Any, three: list[Any], opportunity: Any
) -> None:
    done = triage(actor, product, three, Act("link", "OPP-1", importance=3))
    assert EvidenceLink.objects.filter(importance=3).count() == 3
    assert waiting(product) == []
    undo_triage(actor, product, done.activities)
    assert not EvidenceLink.objects.exists()
    assert not Highlight.objects.exists()
    assert len(waiting(product)) == 3


def test_what_others_changed_since_is_not_taken_back_half(actor: Any, product: Any, three: list[Any]) -> None:
    done = triage(actor, product, three, Act("put_away"))
    FeedbackItem.objects.filter(pk=three[0].pk).update(author_name="corrected")
    with pytest.raises(Conflict, match="changed since"):
        undo_triage(actor, product, done.activities)
    assert waiting(product) == []


def test_all_or_none(actor: Any, product: Any, three: list[Any], other_product: Any, opportunity: Any) -> None:
    EvidenceLink.objects.all().delete()
    FeedbackItem.objects.filter(pk=three[2].pk).update(text="x" * 5000)
    with pytest.raises(Invalid, match="long text"):
        triage(actor, product, fresh(three), Act("link", "OPP-1"))
    assert not EvidenceLink.objects.exists()
    assert len(waiting(product)) == 3


def test_tags_find_each_other_whatever_their_case(actor: Any, product: Any, three: list[Any]) -> None:
    triage(actor, product, three[:2], Act("tag", "Sign-up"))
    assert triage(actor, product, three, Act("tag", " sign-up ")).changed == 1
    assert [item.text for item in queries.page_of(product, Wanted(tag="SIGN-UP")).items][-1] == "voice number 1"
    done = triage(actor, product, three[:1], Act("untag", "sign-up"))
    assert done.changed == 1
    undo_triage(actor, product, done.activities)
    assert queries.count(product, Wanted(tag="sign-up")) == 3


def test_a_snoozed_voice_is_asleep_until_its_day(actor: Any, product: Any, three: list[Any]) -> None:
    triage(actor, product, three[:1], Act("snooze", "7"))
    assert "voice number 1" not in waiting(product)
    assert queries.waiting_count(product) == 2
    assert queries.count(product, Wanted(state="asleep")) == 1
    FeedbackItem.objects.filter(pk=three[0].pk).update(snoozed_until=timezone.now() - timedelta(minutes=1))
    assert len(waiting(product)) == 3


@pytest.mark.parametrize("until", ["soon", "0", "-3", "9999", "2020-01-01", "2999-01-01"])
def test_no_voice_sleeps_for_ever_or_into_the_past(actor: Any, product: Any, three: list[Any], until: str) -> None:
    with pytest.raises(Invalid):
        triage(actor, product, three[:1], Act("snooze", until))


def test_only_a_member_takes_care(actor: Any, product: Any, three: list[Any], bob: Any, charlie: Any) -> None:
    triage(actor, product, three[:1], Act("assign", "bob@example.org"))
    triage(actor, product, three[1:2], Act("assign", "me"))
    assert [str(item.assignee) for item in fresh(three)] == ["Bob", "Alice", "None"]
    assert queries.count(product, Wanted(assignee="none")) == 1
    assert queries.count(product, Wanted(assignee="BOB@example.org")) == 1
    with pytest.raises(Invalid, match="belongs to Sprout"):
        triage(actor, product, three, Act("assign", "charlie@example.org"))


def test_a_status_says_whether_a_voice_still_waits(actor: Any, product: Any, three: list[Any]) -> None:
    add_status(actor, product, name="answered", waits=False)
    add_status(actor, product, name="asked back")
    done = triage(actor, product, three[:2], Act("set_status", "Answered"))
    assert waiting(product) == ["voice number 3"]
    triage(actor, product, three[:1], Act("set_status", "asked back"))
    assert waiting(product) == ["voice number 3", "voice number 1"]
    with pytest.raises(Conflict):
        undo_triage(actor, product, done.activities)
    with pytest.raises(NotFound, match="There are answered, asked back"):
        triage(actor, product, three, Act("set_status", "planned"))


def test_filters_on_who_spoke_and_what_was_in_force(product: Any, say: Any, actor: Any) -> None:
    from whytree.people.models import Person

    say("from a pro", person="p1", app_version="4.1.2", flags={"sign up": "short"})
    say("from a free one", person="p2", app_version="4.0", flags={"sign up": "long"}, said_at="2026-01-02")
    Person.objects.filter(key="p1").update(plan="Pro", company="Acme")
    Person.objects.filter(key="p2").update(plan="free")

    def found(**wanted: str) -> list[str]:
        return [item.text for item in queries.page_of(product, Wanted(**wanted)).items]

    assert found(plan="pro") == found(company="ACME") == found(version="4.1") == ["from a pro"]
    assert found(variant="sign up:short") == ["from a pro"]
    assert len(found(variant="sign up")) == 2
    assert found(variant="'; drop:x") == found(plan="\0") == []
    assert found(until="2026-01-02") == found(since="2026-01-02", until="2026-01-02") == ["from a free one"]
    assert found(since="2026-01-03", words="free") == []
    with pytest.raises(Invalid, match="is no day"):
        found(since="yesterday")


# Pages


def send(client: Any, three: list[Any], **form: Any) -> Any:
    refs = form.pop("item", [item.ref for item in three])
    return client.post("/p/sprout/voices/triage", {"item": refs, "back": "/p/sprout/voices", **form}, follow=True)


def test_the_inbox_sorts_what_was_ticked_and_offers_to_take_it_back(
    as_bob: Any, three: list[Any], product: Any
) -> None:
    page = send(as_bob, three[:2], act="put_away").content.decode()
    assert "2 voices are put away." in page
    assert 'data-key="u"' in page
    assert waiting(product) == ["voice number 3"]
    page = as_bob.post("/p/sprout/voices/undo", {"back": "/p/sprout/voices"}, follow=True).content.decode()
    assert "Taken back." in page
    assert 'data-key="u"' not in page
    assert len(waiting(product)) == 3


def test_all_of_a_list_at_once(as_bob: Any, three: list[Any], product: Any) -> None:
    answer = as_bob.post(
        "/p/sprout/voices/triage", {"all": "1", "tag": "march", "back": "/p/sprout/voices?q=number&until=2026-01-02"}
    )
    assert answer.status_code == 302
    assert queries.count(product, Wanted(tag="march")) == 2


def test_a_form_sent_without_its_button_does_the_one_thing_it_says(as_bob: Any, three: list[Any]) -> None:
    page = send(as_bob, three[:1], tag="signup", assign="", open=three[0].ref).content.decode()
    assert f"{three[0].ref} is tagged “signup”." in page
    assert "signup ×" in page
    page = send(as_bob, three[:1], tag="a", snooze="7").content.decode()
    assert "One thing at a time" in page
    page = send(as_bob, three[:1], item=[]).content.decode()
    assert "Choose some voices first" in page


def test_what_leaves_the_list_is_followed_by_the_next(as_bob: Any, three: list[Any]) -> None:
    answer = as_bob.post(
        "/p/sprout/voices/triage",
        {"item": three[2].ref, "open": three[2].ref, "snooze": "1", "back": "/p/sprout/voices"},
    )
    assert answer.url == f"/p/sprout/voices?item={three[1].ref}"


def test_a_view_is_kept_for_oneself_or_for_all(as_bob: Any, as_alice: Any, three: list[Any], bob: Any) -> None:
    as_bob.post("/p/sprout/voices/views", {"name": "Mine", "query": "q=number&after=x&item=FB-1"})
    as_bob.post("/p/sprout/voices/views", {"name": "Ours", "query": "tag=signup", "shared": "1"})
    assert SavedView.objects.get(name="Mine").query == "q=number"
    theirs, ours = (client.get("/p/sprout/voices").content.decode() for client in (as_alice, as_bob))
    assert ("Ours</a>" in theirs, "Mine</a>" in theirs) == (True, False)
    assert ("Ours</a>" in ours, "Mine</a>" in ours) == (True, True)
    mine = SavedView.objects.get(name="Mine")
    assert as_alice.post(f"/p/sprout/voices/views/{mine.pk}/remove").status_code == 404
    as_bob.post(f"/p/sprout/voices/views/{mine.pk}/remove")
    assert not SavedView.objects.filter(name="Mine").exists()


def test_a_maintainer_makes_statuses(as_alice: Any, as_bob: Any, actor: Any, product: Any) -> None:
    as_alice.post("/p/sprout/voices/statuses", {"name": "<b>asked</b>", "waits": "1"})
    page = as_bob.get("/p/sprout/voices/statuses").content.decode()
    assert "&lt;b&gt;asked&lt;/b&gt;" in page
    assert as_bob.post("/p/sprout/voices/statuses", {"name": "x"}).status_code == 403
    again = as_alice.post("/p/sprout/voices/statuses", {"name": "<B>asked</B>"})
    assert (again.status_code, "already" in again.content.decode()) == (409, True)
    as_alice.post("/p/sprout/voices/statuses", {"remove": "<b>asked</b>"})
    assert not Status.objects.exists()


def test_who_may_sort(as_viewer: Any, as_charlie: Any, three: list[Any], say: Any) -> None:
    assert send(as_viewer, three, act="put_away").status_code == 403
    assert send(as_charlie, three, act="put_away").status_code == 404
    assert 'id="triage"' in as_viewer.get("/p/sprout/voices").content.decode()
    assert 'name="item"' not in as_viewer.get("/p/sprout/voices").content.decode()


# The API and the command line


def test_the_api_sorts_and_takes_back(api: Any, api_viewer: Any, three: list[Any]) -> None:
    refs = [item.ref for item in three]
    done = api.post("/products/sprout/feedback-triage", {"refs": refs, "act": "tag", "value": "signup"}).ok
    assert (done["changed"], len(done["activities"])) == (3, 3)
    found = api.get("/products/sprout/feedback?tag=signup&state=waiting").ok["items"]
    assert [one["tags"] for one in found] == [["signup"]] * 3
    assert api.post("/products/sprout/feedback-triage/undo", {"activities": done["activities"]}).ok["changed"] == 3
    assert api.get("/products/sprout/feedback?tag=signup").ok["items"] == []
    assert api.post("/products/sprout/feedback-triage", {"refs": ["FB-99"], "act": "put_away"}).status == 404
    assert api_viewer.post("/products/sprout/feedback-triage", {"refs": refs, "act": "put_away"}).status == 403


def test_the_command_line_sorts(cli: Callable[..., Done], three: list[Any], product: Any) -> None:
    assert "2 voices are tagged “signup”." in cli("feedback", "tag", "signup", three[0].ref, three[1].ref).out
    assert "voice number 1" in cli("feedback", "search", "--tag", "signup").out
    cli("feedback", "statuses", "--add", "answered", "--done")
    assert "1 voice is now “answered”." in cli("feedback", "status", "answered", three[0].ref).out
    assert "answered  is put away" in cli("feedback", "statuses").out
    assert "No status yet" in cli("feedback", "statuses", "--remove", "answered").out
    cli("feedback", "assign", three[1].ref)
    cli("feedback", "snooze", three[1].ref, "--until", "3")
    shown = cli("feedback", "show", three[1].ref, "--json").json
    assert (shown["assignee"], shown["snoozed_until"] is not None) == ("alice@example.org", True)


def test_a_view_needs_a_name_and_a_person(actor: Any, product: Any) -> None:
    with pytest.raises(Invalid, match="name of 1 to 60"):
        save_view(actor, product, name=" ", query="q=x")
    with pytest.raises(Invalid, match="too long"):
        save_view(actor, product, name="a", query="q=" + "x" * 2000)


def test_a_voices_own_page_offers_all_that_the_inbox_does(as_bob: Any, actor: Any, product: Any, say: Any) -> None:
    item = say("the export fails")
    add_status(actor, product, name="Planned", waits=True)
    page = as_bob.get(f"/p/sprout/{item.ref}").content.decode()
    for offered in ("<option>Planned</option>", "to Alice", "for a week", "no status"):
        assert offered in page, offered
    as_bob.post("/p/sprout/voices/triage", {"item": item.ref, "set_status": "Planned", "back": ""})
    assert "Take back" in as_bob.get(f"/p/sprout/{item.ref}").content.decode()
    assert "Take back" not in as_bob.get(f"/p/sprout/{say('another').ref}").content.decode()
    answer = as_bob.post("/p/sprout/voices/undo", {"page": str(item.number)})
    assert answer.headers["Location"] == f"/p/sprout/{item.ref}"
    item.refresh_from_db()
    assert item.status is None
