"""Which lines send an event: searched in a clone, told to the server, asked of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.code.repositories import Clone
from whytree.code import services
from whytree.code.clone.git import open_clone
from whytree.code.references import event_references
from whytree.code.references.event_references import EventReading, PushedEvent, events_in_code
from whytree.code.scanning.event_search import EventSearch
from whytree.errors import Conflict, Forbidden, Invalid

ROOT, REV = "a" * 40, "b" * 40
VIEW = 'from app.tell import track\n\ndef sign_up(me):\n    track(me.id, "signed_up")\n'


@pytest.fixture
def repository(actor: Any, product: Any) -> Any:
    return services.register_repository(actor, product, name="app", root_sha=ROOT)


def reading(*events: str, line: int = 4, is_first: bool = True, how: str = "sent") -> EventReading:
    places = [PushedEvent(event, "app/views.py", line, how, hunk="code") for event in events]
    return EventReading(REV, events, places, is_first)


def test_tests_prose_and_what_is_not_committed_send_nothing(clone: Clone) -> None:
    clone.commit("Track", **{"app/views.py": VIEW, "tests/test_views.py": VIEW, "README.md": 'the "signed_up" event'})
    clone.write("app/later.py", VIEW)
    found = EventSearch(open_clone(clone.path), ["signed_up", "never"]).run()
    assert [(one.key, one.path, one.line, one.how) for one in found.references] == [
        ("signed_up", "app/views.py", 4, "resolved")
    ]
    assert found.events == ["never", "signed_up"]


def test_telling_again_replaces_what_was_told_of_these_events(actor: Any, product: Any, repository: Any) -> None:
    def told(*events: str) -> list[int]:
        return [one.line for some in events_in_code(product, events).values() for one in some]

    event_references.push_event_references(actor, repository, ROOT, reading("a", "b"))
    event_references.push_event_references(actor, repository, ROOT, reading("a", line=9))
    assert (told("a"), told("b"), told("c")) == ([9], [4], [])
    event_references.push_event_references(actor, repository, ROOT, reading("a", line=10, is_first=False))
    assert told("a") == [9, 10]
    assert events_in_code(product, ["a"])["a"][0].hunk == "code"


def test_no_line_is_stored_where_no_code_may_be(actor: Any, product: Any, repository: Any) -> None:
    repository.with_hunks = False
    repository.save()
    event_references.push_event_references(actor, repository, ROOT, reading("a"))
    assert events_in_code(product, ["a"])["a"][0].hunk is None


@pytest.mark.parametrize(
    "wrong",
    [
        EventReading(REV, ["a"], [PushedEvent("b", "x.py", 1, "sent")]),
        EventReading(REV, ["a"], [PushedEvent("a", "x.py", 0, "sent")]),
        EventReading(REV, ["a"], [PushedEvent("a", "", 1, "sent")]),
        EventReading(REV, ["a"], [PushedEvent("a", "x.py", 1, "maybe")]),
        EventReading("nonsense", ["a"], []),
    ],
)
def test_what_cannot_be_is_refused(actor: Any, repository: Any, wrong: EventReading) -> None:
    with pytest.raises(Invalid):
        event_references.push_event_references(actor, repository, ROOT, wrong)


def test_another_clone_a_viewer_and_an_outsider_are_refused(
    actor: Any, repository: Any, viewer: Any, api_viewer: Any, api_charlie: Any, api_bob: Any
) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    with pytest.raises(Conflict):
        event_references.push_event_references(actor, repository, "c" * 40, reading("a"))
    with pytest.raises(Forbidden):
        event_references.push_event_references(actor_of_user(viewer), repository, ROOT, reading("a"))
    path = f"/products/sprout/repositories/{repository.pk}/event-references"
    places = [{"event": "a", "path": "x.py", "line": 1, "how": "sent"}]
    body = {"root_sha": ROOT, "rev": REV, "events": ["a"], "references": places}
    assert [one.post(path, body).status for one in (api_viewer, api_charlie, api_bob)] == [403, 404, 204]
    asked = "/products/sprout/events/code?event=a"
    assert [one.get(asked).status for one in (api_charlie, api_viewer)] == [404, 200]
    assert [(one["path"], one["line"]) for one in api_viewer.get(asked).ok] == [("x.py", 1)]


@pytest.mark.live
def test_adding_a_clone_tells_which_lines_send_what_was_received(live: Any, tmp_path: Path) -> None:
    import httpx

    clone = Clone(tmp_path / "shop")
    clone.commit("Track", **{"app/views.py": VIEW.replace("signed_up", "event_code_seen")})
    batch = [{"type": "track", "userId": "event-code", "event": "event_code_seen", "messageId": "event-code-1"}]
    sent = httpx.post(f"{live.url}/v1/batch", json={"batch": batch}, auth=(live.key("server"), ""), timeout=60)
    assert sent.status_code == 200
    live.cli("repository", "add", str(clone.path))
    token = (live.data / "owner.token").read_text()
    asked = httpx.get(
        f"{live.url}/api/products/sprout/events/code?event=event_code_seen",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    assert [(one["path"], one["line"], one["how"]) for one in json.loads(asked.text)] == [("app/views.py", 4, "sent")]
