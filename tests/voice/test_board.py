"""The public board: what strangers may do, what nobody may, and how people hear back."""

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from whytree.errors import Conflict, Invalid
from whytree.people.identity import Traits
from whytree.people.models import Person
from whytree.people.queries import people_by_key
from whytree.people.services import update_profiles
from whytree.tree.models import EvidenceLink
from whytree.voice.board import queries, services, telling, visits
from whytree.voice.board.jobs import tell_news
from whytree.voice.board.models import Board, Entry, EntryKind, EntryState, News
from whytree.voice.board.news import note_progress
from whytree.voice.board.services import Run, publish, run_board, set_progress
from whytree.voice.models import FeedbackItem
from whytree.voice.services import add_note, answer_voice, link_excerpt
from whytree.voice.services.erasing import erase_feedback
from whytree.workspace.models import Job
from whytree.workspace.outside.mail import Mail

from .conftest import Done

PAGE = "/ideas/sprout"


@pytest.fixture
def board(actor: Any, product: Any) -> Board:
    return run_board(actor, product, Run(is_open=True, intro="Say it here."))[0]


@pytest.fixture
def mails(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[Mail]:
    """What would have been sent."""
    sent: list[Mail] = []
    for module in (visits, telling):
        monkeypatch.setattr(module, "send", sent.append)
        monkeypatch.setattr(module, "is_set", lambda: True)
    return sent


@pytest.fixture
def stranger() -> Client:
    return Client()


def form_of(stranger: Client, path: str = f"{PAGE}/new") -> str:
    return re.search(r'name="form" value="([^"]+)"', stranger.get(path).content.decode())[1]  # type: ignore[index]


def hand_in(stranger: Client, title: str, **fields: str) -> Any:
    return stranger.post(f"{PAGE}/new", {"form": form_of(stranger), "title": title, "anyway": "1", **fields})


@pytest.fixture
def post(actor: Any, board: Board, stranger: Client) -> Entry:
    hand_in(stranger, "Dark colours at night", text="My eyes hurt.", name="Mira")
    return publish(actor, queries.waiting(board.product)[0])


def link_in(mail: Mail) -> str:
    return re.search(r"https?://[^/]+(/ideas/\S+)", mail.text)[1]  # type: ignore[index]


def test_only_who_may_run_the_board_is_offered_its_settings(as_alice: Any, as_bob: Any, as_viewer: Any) -> None:
    pages = [who.get("/p/sprout/voices/board").content.decode() for who in (as_alice, as_bob, as_viewer)]
    offered = ['action="/p/sprout/voices/board/run"' in page for page in pages]
    assert offered == [True, False, False]


def test_a_closed_board_is_not_there(product: Any, actor: Any, stranger: Client, as_alice: Any) -> None:
    for path in ("", "/new", "/1", "/feed.atom", "/similar"):
        assert stranger.get(PAGE + path).status_code == 404
    assert "The public board is closed" in as_alice.get("/p/sprout/voices/board").content.decode()
    run_board(actor, product, Run(is_open=True))
    page = stranger.get(PAGE)
    assert page.status_code == 200
    assert page["X-Robots-Tag"] == "noindex"
    run_board(actor, product, Run(indexable=True))
    assert "X-Robots-Tag" not in stranger.get(PAGE)
    assert stranger.get("/ideas/elsewhere").status_code == 404


def test_what_a_stranger_writes_is_a_voice_and_public_only_once_it_was_read(
    actor: Any, board: Board, stranger: Client
) -> None:
    done = hand_in(stranger, "Dark <b>colours</b>", text="My number is +49 151 23456789, call me", name="Mira")
    assert "reads it before it stands here" in done.content.decode()
    (entry,) = queries.waiting(board.product)
    assert (entry.item.source_type, entry.item.author_name, entry.item.person_key) == ("board", "Mira", "")
    assert "23456789" not in entry.item.text
    assert "Dark" not in stranger.get(PAGE).content.decode()
    assert stranger.get(f"{PAGE}/{entry.number}").status_code == 404
    publish(actor, entry)
    page = stranger.get(PAGE).content.decode()
    assert "Dark &lt;b&gt;colours&lt;/b&gt;" in page
    assert "<b>colours" not in page
    services.refuse(actor, entry)
    assert stranger.get(f"{PAGE}/{entry.number}").status_code == 404


def test_a_form_lands_once_and_a_trap_or_a_stale_one_never(board: Board, stranger: Client) -> None:
    form = form_of(stranger)
    for title in ("First", "Second"):
        stranger.post(f"{PAGE}/new", {"form": form, "title": title, "anyway": "1"})
    assert [one.title for one in queries.waiting(board.product)] == ["First"]
    trapped = hand_in(stranger, "Cheap pills", website="http://spam.example")
    assert trapped.status_code == 200
    stale = stranger.post(f"{PAGE}/new", {"form": "made up", "title": "Third"})
    assert stale.status_code == 400
    assert "Third" in stale.content.decode()
    assert FeedbackItem.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"title": ""}, "in one line"),
        ({"title": "x" * 141}, "140"),
        ({"title": "ok", "text": "y" * 10_001}, "10,001"),
        ({"title": "ok", "name": "n" * 61}, "60"),
        ({"title": "ok", "text": "a\x00b"}, "cannot be stored"),
    ],
)
def test_bad_input_says_what_to_do(board: Board, stranger: Client, fields: dict[str, str], says: str) -> None:
    answer = stranger.post(f"{PAGE}/new", {"form": form_of(stranger), "anyway": "1", **fields})
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert not FeedbackItem.objects.exists()


def test_one_address_may_only_send_so_much(board: Board, stranger: Client) -> None:
    answers = [hand_in(stranger, f"Wish {at}").status_code for at in range(visits.PER_HOUR["post"] + 1)]
    assert answers[-1] == 429
    assert set(answers[:-1]) == {200}


def test_a_board_that_nobody_reads_takes_nothing_new(board: Board, stranger: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(visits, "MOST_WAITING", 1)
    hand_in(stranger, "One")
    assert hand_in(stranger, "Two").status_code == 409


def test_a_vote_counts_once_the_address_was_confirmed_and_stores_nothing_before(
    post: Entry, stranger: Client, mails: list[Mail], opportunity: Any, actor: Any
) -> None:
    link_excerpt(actor, post.item, opportunity)
    said = stranger.post(f"{PAGE}/{post.number}/vote", {"email": "ana@example.org"})
    assert "One press more" in said.content.decode()
    assert FeedbackItem.objects.count() == 1
    assert "Dark colours" not in mails[0].text  # anybody may have typed that address
    link = link_in(mails[0])
    assert "Do you want this" in stranger.get(link).content.decode()
    assert Entry.objects.filter(kind=EntryKind.VOTE).count() == 0
    assert stranger.post(link).status_code == 302
    (vote,) = Entry.objects.filter(kind=EntryKind.VOTE).select_related("item")
    assert (vote.item.person_key, vote.item.merged_into_id) == ("ana@example.org", post.pk)
    assert queries.find_public(post.item.product, post.number).votes == 2
    assert EvidenceLink.objects.filter(node_id=opportunity.pk, source_id=vote.item.ref).exists()
    Client().post(link)  # pressed again, elsewhere
    assert queries.find_public(post.item.product, post.number).votes == 2
    page = stranger.get(f"{PAGE}/{post.number}").content.decode()
    assert "You want this" in page
    assert "ana@example.org" not in page
    stranger.post(f"{PAGE}/{post.number}/vote", {"back": "1"})
    assert queries.find_public(post.item.product, post.number).votes == 1
    assert not FeedbackItem.objects.filter(person_key="ana@example.org").exists()


def test_forged_and_foreign_links_are_refused(
    post: Entry, board: Board, stranger: Client, mails: list[Mail], other_product: Any, api: Any, actor: Any
) -> None:
    assert stranger.get(f"{PAGE}/confirm/made-up").status_code == 404
    assert stranger.get(f"{PAGE}?as=made-up").status_code == 404
    stranger.cookies[f"whytree_board_{board.product_id}"] = "ana@example.org"
    stranger.post(f"{PAGE}/{post.number}/vote", {"email": "no address"})
    assert not Entry.objects.filter(kind=EntryKind.VOTE).exists()
    assert not mails
    url = api.post("/products/sprout/board-visitors", {"person": "user-17"}).ok["url"]
    with pytest.raises(Exception, match="another board"):
        visits.of_invitation(other_product, url.partition("as=")[2])


def test_what_a_browser_keeps_of_somebody_means_nobody_once_they_were_forgotten(
    post: Entry, stranger: Client, api: Any, product: Any
) -> None:
    url = api.post("/products/sprout/board-visitors", {"person": "user-17"}).ok["url"]
    link = url[url.index("/ideas") :]
    assert stranger.get(link).status_code == 302
    assert "user-17" not in str(stranger.cookies)
    Person.objects.filter(product=product, key="user-17").delete()  # as an erasure does, when all else went
    stranger.post(f"{PAGE}/{post.number}/vote")
    assert not Entry.objects.filter(kind=EntryKind.VOTE).exists()
    assert stranger.get(link).status_code == 404
    assert not Person.objects.filter(key="user-17").exists()


def test_no_mail_goes_to_an_address_that_only_a_page_told(
    post: Entry, actor: Any, product: Any, mails: list[Mail]
) -> None:
    visits.cast_vote(post, "user-17")
    said = {"email": "victim@example.org"}
    update_profiles([Traits(product.pk, "user-17", said, 1_800_000_000.0)])
    assert telling.tell(note_progress(post)) == 0
    update_profiles([Traits(product.pk, "user-17", {"email": "ana@example.org"}, 1_700_000_000.0, trusted=True)])
    update_profiles([Traits(product.pk, "user-17", said, 1_800_000_001.0)])  # and cannot take a proved one's place
    assert telling.tell(note_progress(post)) == 1
    assert [mail.to for mail in mails] == ["ana@example.org"]


def test_one_address_gets_few_mails(post: Entry, mails: list[Mail]) -> None:
    for at in range(visits.MAILS_TO_ONE + 2):
        Client(REMOTE_ADDR=f"10.0.0.{at}").post(f"{PAGE}/{post.number}/vote", {"email": "ana@example.org"})
    assert len(mails) == visits.MAILS_TO_ONE


def test_who_your_server_knows_votes_without_a_mail(post: Entry, stranger: Client, api: Any) -> None:
    url = api.post("/products/sprout/board-visitors", {"person": "user-17"}).ok["url"]
    assert stranger.get(url[url.index("/ideas") :]).status_code == 302
    stranger.post(f"{PAGE}/{post.number}/vote")
    assert Entry.objects.get(kind=EntryKind.VOTE).item.person_key == "user-17"
    assert api.post("/products/sprout/board-visitors", {"person": " "}).status == 400


def test_who_wrote_it_confirms_and_hears_too(board: Board, actor: Any, stranger: Client, mails: list[Mail]) -> None:
    hand_in(stranger, "Dark colours at night", email="mira@example.org")
    entry = queries.waiting(board.product)[0]
    assert entry.item.person_key == ""
    assert "Did you write this" in stranger.get(link_in(mails[0])).content.decode()
    assert "counts as yours" in stranger.post(link_in(mails[0])).content.decode()
    entry.item.refresh_from_db()
    assert entry.item.person_key == "mira@example.org"
    assert people_by_key(board.product, ["mira@example.org"])["mira@example.org"].email == "mira@example.org"
    publish(actor, entry)
    with pytest.raises(Invalid):
        set_progress(actor, entry, "someday")
    set_progress(actor, entry, "planned")
    mails.clear()
    for news in News.objects.all():
        tell_news({"news": news.pk})
        tell_news({"news": news.pk})  # a job may run twice
    assert [(one.to, "Planned: Dark colours at night" in one.subject) for one in mails] == [("mira@example.org", True)]
    stop = mails[0].stop_url[mails[0].stop_url.index("/ideas") :]
    assert stranger.get(stop).status_code == 200
    assert Client(enforce_csrf_checks=True).post(stop).status_code == 200
    set_progress(actor, entry, "done")
    for news in News.objects.all():
        tell_news({"news": news.pk})
    assert len(mails) == 1


def test_statuses_and_answers_reach_webhook_and_feed_and_notes_reach_nobody(
    post: Entry, actor: Any, product: Any, stranger: Client, monkeypatch: Any
) -> None:
    _, secret = run_board(actor, product, Run(webhook="https://hooks.example.org/board"))
    assert secret.startswith("whsec_")
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(
        telling.webhooks, "post_signed", lambda url, key, name, message: sent.append({"id": name, **message})
    )
    set_progress(actor, post, "planned")
    set_progress(actor, post, "planned")  # said already
    answer_voice(actor, post.item, "It comes in <May>.")
    add_note(actor, post.item, "Mira pays nothing, ignore")
    jobs = Job.objects.filter(kind="voice.board_news")
    for job in jobs:
        tell_news(job.payload)
    assert [one["type"] for one in sent] == ["board.published", "board.progress", "board.answer"]
    assert sent[2]["data"]["answer"] == "It comes in <May>."
    assert "Mira" not in str(sent)
    feed = stranger.get(f"{PAGE}/feed.atom")
    entries = ElementTree.fromstring(feed.content).findall("{http://www.w3.org/2005/Atom}entry")
    assert [one.findtext("{http://www.w3.org/2005/Atom}title") for one in entries] == [
        "Answered: Dark colours at night",
        "Planned: Dark colours at night",
        "New: Dark colours at night",
    ]
    page = stranger.get(f"{PAGE}/{post.number}").content.decode()
    assert "It comes in &lt;May&gt;." in page
    for shown in (page, feed.content.decode()):
        assert "pays nothing" not in shown
        assert "alice" not in shown.lower()


def test_what_was_answered_before_it_stood_on_the_board_stays_between_us(
    actor: Any, board: Board, stranger: Client
) -> None:
    hand_in(stranger, "Dark colours")
    entry = queries.waiting(board.product)[0]
    answer_voice(actor, entry.item, "Between us: your account was late.")
    publish(actor, entry)
    assert "Between us" not in stranger.get(f"{PAGE}/{entry.number}").content.decode()


def test_comments_wait_too(post: Entry, actor: Any, stranger: Client) -> None:
    form = form_of(stranger, f"{PAGE}/{post.number}")
    path = f"{PAGE}/{post.number}/comment"
    assert stranger.post(path, {"form": form, "text": " "}).status_code == 400
    stranger.post(path, {"form": form, "text": "Mine, too, at 3 am"})
    assert "3 am" not in stranger.get(f"{PAGE}/{post.number}").content.decode()
    publish(actor, queries.waiting(post.item.product)[0])
    assert "3 am" in stranger.get(f"{PAGE}/{post.number}").content.decode()
    with pytest.raises(Conflict):
        set_progress(actor, Entry.objects.get(kind=EntryKind.COMMENT), "done")


def test_a_title_is_compared_with_titles_however_long_the_words_below(
    board: Board, actor: Any, stranger: Client
) -> None:
    words = "I only wanted to see the classes near me. The form wanted my mobile number first, and I closed the page."
    hand_in(stranger, "Let me book without giving my phone number", text=words)
    made = publish(actor, queries.waiting(board.product)[0])
    assert (
        f"{PAGE}/{made.number}" in stranger.get(f"{PAGE}/similar?title=book+without+my+phone+number").content.decode()
    )


def test_what_is_asked_for_already_comes_first_and_private_voices_never_show(
    post: Entry, stranger: Client, say: Any
) -> None:
    say("Dark colours at night for my secret project")
    alike = stranger.get(f"{PAGE}/similar?title=dark+colours+at+night+please").content.decode()
    assert f"{PAGE}/{post.number}" in alike
    assert "secret" not in alike
    asked = stranger.post(f"{PAGE}/new", {"form": form_of(stranger), "title": "dark colours at night"})
    assert "Somebody may have asked" in asked.content.decode()
    assert FeedbackItem.objects.filter(source_type="board").count() == 1
    found = stranger.get(f"{PAGE}?q=colours").content.decode()
    assert "secret" not in found
    assert "Dark colours" in found
    assert "Nobody has asked" in stranger.get(f"{PAGE}?q=zebra").content.decode()


def test_an_erased_author_is_gone_from_the_board(
    board: Board, actor: Any, stranger: Client, mails: list[Mail], product: Any
) -> None:
    hand_in(stranger, "Dark colours at night", email="mira@example.org", name="Mira")
    stranger.post(link_in(mails[0]))
    entry = publish(actor, queries.waiting(product)[0])
    visits.cast_vote(entry, "user-17")
    erase_feedback(product, "mira@example.org")
    assert stranger.get(f"{PAGE}/{entry.number}").status_code == 404
    assert b"Dark" not in stranger.get(f"{PAGE}/feed.atom").content
    with pytest.raises(Conflict):
        publish(actor, Entry.objects.get(pk=entry.pk))
    assert not FeedbackItem.objects.filter(text__contains="Dark").exists()  # nor in the voices of those who voted
    for news in News.objects.all():
        assert telling.tell(news) == 0


def test_team_page_api_and_commands(
    post: Entry,
    as_alice: Any,
    as_viewer: Any,
    as_charlie: Any,
    api: Any,
    api_viewer: Any,
    api_charlie: Any,
    cli: Callable[..., Done],
) -> None:
    hand_in(Client(), "Another wish")
    page = as_alice.get("/p/sprout/voices/board").content.decode()
    assert "1 post or comment waits for a reader" in page
    assert "Put it on the board" in page
    ref = queries.waiting(post.item.product)[0].item.ref
    page = as_viewer.get("/p/sprout/voices/board").content.decode()
    assert "Put it on the board" not in page
    assert 'name="is_open"' not in page, "it is no maintainer who looks"
    assert as_charlie.get("/p/sprout/voices/board").status_code == 404
    assert as_alice.post(f"/p/sprout/voices/board/{ref}", {"do": "publish"}).status_code == 302
    as_alice.post(f"/p/sprout/voices/board/{ref}", {"do": "progress", "value": "building"})
    as_alice.post(f"/p/sprout/voices/board/{ref}", {"do": "answer", "value": "Soon."})
    assert Entry.objects.get(item__number=ref[3:]).progress == "building"
    assert api.get("/products/sprout/board").ok["waiting"] == 0
    assert len(api.get("/products/sprout/board-posts").ok) == 2
    assert api_viewer.post(f"/products/sprout/board-posts/{ref}/refuse").status == 403
    assert api_charlie.get("/products/sprout/board").status == 404
    assert api.post("/products/sprout/board-posts/FB-99/publish").status == 404
    assert api.put(f"/products/sprout/board-posts/{ref}/status", {"status": "never"}).status == 400
    assert api.put("/products/sprout/board", {"webhook": "http://127.0.0.1/x"}).status == 400
    assert "is now done" in cli("portal", "status", ref, "done").out
    assert "not on the board" in cli("portal", "refuse", ref).out
    assert cli("portal", "posts", "--json").json[0]["ref"] == post.item.ref
    assert "/ideas/sprout?as=" in cli("portal", "invite", "user-9").out
    assert "closed" in cli("portal", "close").out
    assert Entry.objects.filter(state=EntryState.REFUSED).count() == 1


def test_one_address_searches_so_often_and_no_more(post: Entry, stranger: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("whytree.voice.board.public.SEARCHES", 3)  # the post was held against others, too
    assert [stranger.get(PAGE, {"q": "dark"}).status_code for _ in range(3)] == [200, 200, 429]
    assert hand_in(stranger, "Dark colours").status_code == 429
    assert stranger.get(PAGE).status_code == 200
