"""Boards: kept questions side by side, filters for all of them, and a link that shows one and nothing else."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

FUNNEL = {"version": 1, "kind": "funnel", "steps": ["signed_up", "planted"], "within": "7d"}
TRENDS = {"version": 1, "kind": "trends", "series": ["planted"], "interval": "day"}
BOARDS = "/products/sprout/boards"


@pytest.fixture
def board(api: Any, five_sign_up_three_plant: None) -> dict[str, Any]:
    for question in (FUNNEL, TRENDS):
        api.post("/products/sprout/questions", {"question": question})
    made = api.post(BOARDS, {"title": "Monday", "questions": ["ASK-1", "ASK-2"]}).ok
    return dict(made)


def test_every_card_says_its_sentence(api: Any, board: Any) -> None:
    api.post(f"{BOARDS}/1/cards", {"text": "What we look at.\n<b>Bold</b>"})
    cards = api.get(f"{BOARDS}/1").ok["cards"]
    assert [card["question"] for card in cards] == ["ASK-1", "ASK-2", None]
    assert cards[0]["sentence"] == "66.7 % of those who did “signed_up” came to “planted”."
    assert cards[2]["text"].endswith("<b>Bold</b>")


def test_days_and_filters_hold_for_all_of_it(api: Any, board: Any) -> None:
    api.patch(f"{BOARDS}/1", {"days": 5})
    assert api.get(f"{BOARDS}/1").ok["cards"][0]["sentence"] == "100 % of those who did “signed_up” came to “planted”."
    api.patch(f"{BOARDS}/1", {"days": 0, "where": "platform=nowhere"})
    assert (
        api.get(f"{BOARDS}/1").ok["cards"][0]["sentence"]
        == "Where platform is nowhere: Nobody did “signed_up” in this time."
    )
    assert api.patch(f"{BOARDS}/1", {"where": "plan>many"}).status == 400
    assert api.patch(f"{BOARDS}/1", {"refresh_seconds": 1}).status == 400


def test_a_range_of_days_holds_for_all_of_it_or_is_only_looked_at(api: Any, board: Any, as_bob: Any) -> None:
    api.post(f"{BOARDS}/1/cards", {"metric": "activated_7d"})
    today = timezone.now().date()
    begin, end = str(today - timedelta(days=5)), str(today)

    def shown(query: str = "") -> list[str]:
        cards = api.get(f"{BOARDS}/1{query}").ok["cards"]
        return [card["sentence"] or card["problem"] for card in cards]

    own, ranged = shown(), shown(f"?since={begin}&until={end}")
    assert ranged[0] == "100 % of those who did “signed_up” came to “planted”." != own[0]
    assert shown() == own  # only looked at
    set_so = api.patch(f"{BOARDS}/1", {"since": begin, "until": end}).ok
    assert (set_so["days"], set_so["since"], set_so["until"]) == (None, begin, end)
    assert shown() == ranged
    assert api.patch(f"{BOARDS}/1", {"days": 5}).ok["since"] is None  # whatever is said of the time says all of it
    refused = api.patch(f"{BOARDS}/1", {"since": end, "until": begin})
    assert (refused.status, "Swap the two days" in refused.body["message"]) == (400, True)
    page = as_bob.get(f"/p/sprout/boards/1?since={begin}&until=soon").content.decode()
    assert "is a day, as 2026-05-01" in page
    assert "5 days" in as_bob.get("/p/sprout/boards/1").content.decode()


def test_one_card_that_cannot_be_answered_leaves_the_others_alone(api: Any, board: Any, store: Any) -> None:
    store.execute("ALTER TABLE events DELETE WHERE event = 'signed_up'", None, {"mutations_sync": 2})
    cards = api.get(f"{BOARDS}/1").ok["cards"]
    assert "No event “signed_up”" in cards[0]["problem"]
    assert cards[1]["sentence"]


def test_an_answer_is_never_older_than_it_says(api: Any, board: Any, happened: Any) -> None:
    before = api.get(f"{BOARDS}/1").ok["cards"][0]
    happened(50, "signed_up", 1)
    after = api.get(f"{BOARDS}/1").ok["cards"][0]
    assert (after["sentence"], after["as_of"]) == (before["sentence"], before["as_of"])


def test_the_page_draws_moves_and_removes_cards(as_bob: Any, board: Any) -> None:
    from whytree.analytics.models import BoardCard

    body = as_bob.get("/p/sprout/boards/1").content.decode()
    assert "66.7 % of those" in body
    assert "<svg" in body
    first, second = BoardCard.objects.all()
    as_bob.post("/p/sprout/boards/1/edit", {"act": "move", "card": second.pk, "place": 1})
    assert list(BoardCard.objects.values_list("pk", flat=True)) == [second.pk, first.pk]
    as_bob.post("/p/sprout/boards/1/edit", {"act": "wide", "card": first.pk, "wide": "1"})
    as_bob.post("/p/sprout/boards/1/edit", {"act": "remove", "card": second.pk})
    assert [(card.pk, card.wide, card.position) for card in BoardCard.objects.all()] == [(first.pk, True, 1)]
    as_bob.post("/p/sprout/boards/1/edit", {"act": "settings", "title": "Tuesday", "days": "28", "refresh": "60"})
    assert 'hx-trigger="every 60s"' in as_bob.get("/p/sprout/boards/1").content.decode()
    assert as_bob.post("/p/sprout/boards/1/edit", {"act": "delete"}).url == "/p/sprout/boards"


def test_a_link_shows_the_board_without_signing_in_until_it_is_taken_back(
    as_alice: Any, as_bob: Any, client: Any, api: Any, api_bob: Any, board: Any
) -> None:
    from whytree.analytics.models import Board

    assert as_bob.post("/p/sprout/boards/1/edit", {"act": "share"}).status_code == 403  # a maintainer's matter
    assert api_bob.post(f"{BOARDS}/1/share").status == 403
    path = api.post(f"{BOARDS}/1/share").ok["path"]
    assert path.removeprefix("/board/") not in str(list(Board.objects.values()))  # only its hash is kept
    shown = client.get(path)
    assert shown.status_code == 200
    body = shown.content.decode()
    assert "66.7 % of those" in body
    assert "/p/sprout" not in body
    assert shown["X-Robots-Tag"] == "noindex, nofollow"
    assert client.post(path).status_code == 405
    again = api.post(f"{BOARDS}/1/share").ok["path"]
    assert client.get(path).status_code == 404
    assert api_bob.delete(f"{BOARDS}/1/share").status == 204
    assert [client.get(one).status_code for one in (again, "/board/", "/board/guess")] == [404, 404, 404]


def test_a_link_does_not_tell_what_the_team_did(api: Any, as_bob: Any, client: Any, board: Any, product: Any) -> None:
    from whytree.workspace.models import Activity

    act = {"actor": "Alice", "via": "page", "subject_type": "flags.Flag", "subject_id": 1}
    at = timezone.now() - timedelta(days=3)
    Activity.objects.create(product=product, verb="turn_on", subject_label="secret_plan", at=at, **act)
    assert "secret_plan" in as_bob.get("/p/sprout/boards/1").content.decode()
    assert "secret_plan" not in client.get(api.post(f"{BOARDS}/1/share").ok["path"]).content.decode()


def test_an_answer_is_kept_and_put_on_a_board_at_once(as_bob: Any, api: Any, board: Any) -> None:
    assert "Monday" in as_bob.get("/p/sprout/ask/trends?event=planted").content.decode()
    sent = {"act": "keep", "title": "Planted", "question": json.dumps(TRENDS)}
    assert as_bob.post("/p/sprout/ask/act", sent | {"board": "1"}).url == "/p/sprout/boards/1"
    assert [card["question"] for card in api.get(f"{BOARDS}/1").ok["cards"]] == ["ASK-1", "ASK-2", "ASK-3"]
    as_bob.post("/p/sprout/ask/act", sent | {"board": "9"})  # no such board: nothing is kept either
    assert len(api.get("/products/sprout/questions").ok) == 3


def test_cards_are_moved_over_the_api_too(api: Any, board: Any) -> None:
    first, second = api.get(f"{BOARDS}/1").ok["cards"]
    moved = api.patch(f"{BOARDS}/1/cards/{second['id']}", {"place": 1, "wide": True}).ok["cards"]
    assert [(one["id"], one["wide"]) for one in moved] == [(second["id"], True), (first["id"], False)]
    assert api.patch(f"{BOARDS}/1/cards/999", {"place": 1}).status == 404
    assert api.patch(f"{BOARDS}/1", {"where": "a=b; " * 101}).status == 400  # never cut in the middle of a filter


def test_a_card_is_one_thing_and_viewers_and_strangers_change_nothing(
    api: Any, api_viewer: Any, api_charlie: Any, as_charlie: Any, board: Any
) -> None:
    assert api.post(f"{BOARDS}/1/cards", {"question": "ASK-1", "text": "and words"}).status == 400
    assert api.post(f"{BOARDS}/1/cards", {}).status == 400
    assert api.post(f"{BOARDS}/1/cards", {"question": "ASK-99"}).status == 404
    assert [one.post(BOARDS, {"title": "Mine"}).status for one in (api_viewer, api_charlie)] == [403, 404]
    assert [one.get(f"{BOARDS}/1").status for one in (api_viewer, api_charlie)] == [200, 404]
    assert as_charlie.get("/p/sprout/boards/1").status_code == 404
    assert api.post(BOARDS, {"title": "  "}).status == 400


def test_a_metric_stands_on_a_board_as_everywhere(
    api: Any, as_bob: Any, activated: Any, five_sign_up_three_plant: None
) -> None:
    made = api.post("/products/sprout/boards", {"title": "Metrics", "metrics": ["activated_7d"]}).ok
    path = f"/products/sprout/boards/{made['number']}"
    (card,) = api.get(path).ok["cards"]
    assert (card["metric"], card["question"], card["problem"]) == ("activated_7d", None, "")
    assert card["sentence"].startswith("60 %, between")
    api.patch(path, {"where": "plan=pro"})
    page = as_bob.get(f"/p/sprout/boards/{made['number']}").content.decode()
    assert "Activated in 7 days" in page
    assert "a metric is the same everywhere" in page
    assert api.post(f"{path}/cards", {"metric": "nothing"}).status == 404
    assert api.post(f"{path}/cards", {"metric": "activated_7d", "text": "both"}).status == 400


def test_the_command_line_arranges_a_board(terminal: Any) -> None:
    number = str(terminal.cli_json("board", "add", "Arranged")["number"])
    link = terminal.cli("board", "share", number).stdout.strip()
    assert link.startswith("http")
    assert "/board/" in link
    terminal.cli("board", "put", number, "--text", "First words")
    cards = terminal.cli_json("board", "put", number, "--text", "Second words", "--wide")["cards"]
    moved = terminal.cli_json("board", "move", number, str(cards[1]["id"]), "1")["cards"]
    assert [one["text"] for one in moved] == ["Second words", "First words"]
    terminal.cli("board", "take-off", number, str(cards[0]["id"]))
    assert terminal.cli_json("board", "edit", number, "--days", "5", "--where", "platform=ios")["days"] == 5
    assert "Second words" in terminal.cli("board", "show", number).stdout
    terminal.cli("board", "remove", number)
    assert terminal.cli("board", "show", number, check=False).returncode == 1
