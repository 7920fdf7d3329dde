"""The tracking plan: written as YAML, applied, diffed, held against what is sent."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from whytree.events.plan.document import NotAPlan, Plan, PlannedEvent, as_document, read_document
from whytree.stores.events import EventStore
from whytree.workspace.models import Activity

from .conftest import Sender, track
from .test_import_events import run as run

pytestmark = pytest.mark.django_db

PLAN = """\
whytree_plan: 1
events:
  Signed Up:
    owner: growth
    description: The account is made.
    properties:
      plan: {type: text, required: true}
      price: number
  Old One:
    status: deprecated
  Never Sent: {}
"""


@pytest.fixture
def plan(tmp_path: Path) -> str:
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN)
    return str(file)


def _says(found: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(each["event"], each["kind"], each["says"]) for each in found["violations"]}


def test_a_plan_is_applied_diffed_and_exported_byte_for_byte(
    run: Callable[..., Any], plan: str, tmp_path: Path, store: EventStore
) -> None:
    assert [(each["event"], each["what"]) for each in run("plan", "diff", plan)] == [
        ("Never Sent", "added"),
        ("Old One", "added"),
        ("Signed Up", "added"),
    ]
    assert len(run("plan", "apply", plan)) == 3
    assert run("plan", "apply", plan) == []
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    run("plan", "export", str(first))
    run("plan", "apply", str(first))
    run("plan", "export", str(second))
    assert first.read_bytes() == second.read_bytes()
    Path(plan).write_text(
        PLAN.replace("growth", "sales").replace("price: number", "price: text").replace("Old One", "New")
    )
    changes = {each["event"]: each for each in run("plan", "diff", plan)}
    assert changes["Signed Up"]["details"] == ["owner: growth → sales", "property price: number → text"]
    assert (changes["Old One"]["what"], changes["New"]["what"]) == ("removed", "added")
    assert Activity.objects.filter(verb="apply_plan").count() == 1


def test_what_is_sent_otherwise_than_planned_is_named(
    run: Callable[..., Any], web: Sender, plan: str, api: Any, store: EventStore
) -> None:
    run("plan", "apply", plan)
    web.batch(
        track("Signed Up", properties={"plan": "pro", "price": 9.5}),
        track("Signed Up", properties={"price": "free", "coupon": "x", "utm_source": "news"}),
        track("Old One"),
        track("Signedup"),
        {"type": "identify", "userId": "ana", "messageId": "i"},
    )
    found = api.get("/products/sprout/events/plan").ok
    assert _says(found) == {
        ("Never Sent", "not sent", "It is expected and nobody has sent it yet."),
        ("Old One", "deprecated", "It is deprecated and still came in the last 7 days."),
        ("Signed Up", "property", "coupon is sent and not planned."),
        ("Signed Up", "property", "plan is required and missing in 1 of 2."),
        ("Signed Up", "property", "price should be number and is also sent as text."),
        ("Signedup", "unplanned", "It is sent and stands in no plan."),
    }
    assert found["sentence"] == "3 planned events come otherwise than planned; 1 more stands in no plan."


def test_check_ends_with_one_when_something_breaks_the_plan(
    run: Callable[..., Any], web: Sender, plan: str, store: EventStore, tmp_path: Path
) -> None:
    from whytree.site import cli

    assert run("plan", "check")["sentence"] == "Nobody said yet which events should come."
    web.batch(track("Signed Up", properties={"plan": "pro"}))
    whole = tmp_path / "seen.yaml"
    run("plan", "export", str(whole), "--seen")
    assert "Signed Up" in whole.read_text()
    run("plan", "apply", str(whole))
    assert run("plan", "check")["violations"] == []
    run("plan", "apply", plan)
    broken = CliRunner().invoke(cli.build(), ["plan", "check"])
    assert broken.exit_code == 1
    assert "Never Sent" in broken.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begins with whytree_plan"),
        ("whytree_plan: 2", "begins with whytree_plan"),
        ("whytree_plan: 1\nevents: [a]", "events:"),
        ("whytree_plan: 1\nstrict: maybe", "true or false"),
        ("whytree_plan: 1\nevents: {a: {status: maybe}}", "expected, deprecated, unexpected"),
        ("whytree_plan: 1\nevents: {a: {owners: x}}", "has no “owners”"),
        ("whytree_plan: 1\nevents: {a: {properties: {p: date}}}", "is no type"),
        ("whytree_plan: 1\nevents: {a: {properties: {p: {required: often}}}}", "true or false"),
        ("whytree_plan: 1\nevents: {on: {}}", "quotes"),
        (f"whytree_plan: 1\nevents: {{{'x' * 300}: {{}}}}", "cannot be the name"),
        ("whytree_plan: [", "no YAML"),
        ("!!python/object/apply:os.system [id]", "no YAML"),
    ],
)
def test_what_is_no_plan_is_told_where(
    run: Callable[..., Any], plan: str, text: str, says: str, store: EventStore
) -> None:
    Path(plan).write_text(text)
    assert says in run("plan", "apply", plan, ok=False)


def test_a_document_is_read_as_it_was_written() -> None:
    document = as_document(
        Plan({"404": PlannedEvent(), "Ünïcode 🚀": PlannedEvent("deprecated", "me", "words")}, False)
    )
    assert as_document(read_document(json.loads(json.dumps(document)))) == document
    with pytest.raises(NotAPlan):
        read_document({"whytree_plan": 1, "events": {f"e{n}": {} for n in range(6_000)}})


def test_roles_and_pages(
    run: Callable[..., Any], web: Sender, plan: str, as_viewer: Any, as_charlie: Any, api_viewer: Any, api_charlie: Any
) -> None:
    assert "Nobody said yet" in as_viewer.get("/p/sprout/events/plan").content.decode()
    run("plan", "apply", plan)
    web.batch(track("<b>odd</b>"), track("Signed Up", properties={"plan": "pro"}))
    page = as_viewer.get("/p/sprout/events/plan").content.decode()
    assert "&lt;b&gt;odd&lt;/b&gt;" in page
    assert "Sent, and in no plan" in page
    catalogue = as_viewer.get("/p/sprout/events").content.decode()
    assert "The account is made." in catalogue
    assert "not planned" in catalogue
    empty = {"plan": {"whytree_plan": 1, "events": {}}}
    assert api_viewer.put("/products/sprout/events/plan", empty).status == 403
    assert api_charlie.get("/products/sprout/events/plan").status == 404
    assert as_charlie.get("/p/sprout/events/plan").status_code == 404


PLAN_URL = "/products/sprout/events/plan"


def test_who_describes_one_event_says_nothing_of_the_others_until_the_plan_is_made_strict(
    run: Callable[..., Any], web: Sender, api: Any, api_viewer: Any, as_bob: Any
) -> None:
    web.batch(track("Opened", properties={"plan": "pro"}), track("Paid"))
    assert api.put(f"{PLAN_URL}/strict", {"strict": True}).status == 409
    api.patch(PLAN_URL, {"event": "Opened", "properties": {"price": {"description": "In cents"}}}).must_succeed()
    assert _says(run("plan", "check")) == set()
    assert "not planned</a>" not in as_bob.get("/p/sprout/events").content.decode()
    page = as_bob.post("/p/sprout/events/plan/event", {"act": "strict", "strict": "1"}, follow=True).content.decode()
    assert "It is strict" in page
    assert {(event, kind) for event, kind, _ in _says(api.get(PLAN_URL).ok)} == {
        ("Opened", "property"),
        ("Paid", "unplanned"),
    }
    assert run("plan", "strict", "--off") == {"strict": False}
    assert api.get(PLAN_URL).ok["violations"] == []
    assert api_viewer.put(f"{PLAN_URL}/strict", {"strict": True}).status == 403


def test_one_event_is_described_at_every_door_and_taken_back(
    run: Callable[..., Any], web: Sender, plan: str, api: Any, api_viewer: Any, api_charlie: Any, as_bob: Any
) -> None:
    run("plan", "apply", plan)
    web.batch(
        track("Signed Up", properties={"plan": "pro"}), track("Signed Up", properties={"plan": "pro", "$lib": "js"})
    )
    said = api.patch(PLAN_URL, {"event": "Signed Up", "owner": "sales"}).ok
    assert (said["owner"], said["description"], list(said["properties"])) == (
        "sales",
        "The account is made.",
        ["plan", "price"],
    )
    assert run("plan", "event", "Signed Up", "--status", "deprecated")["owner"] == "sales"
    form = {"event": "Signed Up", "act": "property", "property": "plan", "type": "text", "words": "<b>Which</b> one"}
    answer = as_bob.post("/p/sprout/events/plan/event", form, follow=True)
    page = answer.content.decode()
    assert "&lt;b&gt;Which&lt;/b&gt; one" in page
    assert "planned as text" in page
    described = api.get("/products/sprout/events/described?event=Signed Up").ok
    assert described["planned"]["properties"]["plan"] == {
        "type": "text",
        "required": False,
        "description": "<b>Which</b> one",
    }
    assert {one["name"]: (one["seen"] is not None, one["samples"]) for one in described["properties"]} == {
        "plan": (True, ["pro"]),
        "$lib": (True, ["js"]),
        "price": (False, []),
    }
    latest = Activity.objects.latest("pk")
    assert (latest.verb, latest.via, latest.undoable) == ("plan_event", "page", True)
    assert api.post(f"/products/sprout/activity/{latest.pk}/undo").status == 403  # it was Bob's
    assert as_bob.post(f"/p/sprout/activity/{latest.pk}/undo").status_code == 302
    assert api.get("/products/sprout/events/described?event=Signed Up").ok["planned"]["properties"]["plan"]["required"]
    run("plan", "unplan", "Signed Up")
    assert "Signed Up" not in api.get(PLAN_URL).ok["plan"]["events"]
    assert "No longer" not in run("plan", "unplan", "Signed Up", ok=False)
    assert api_viewer.patch(PLAN_URL, {"event": "a", "owner": "x"}).status == 403
    assert api_charlie.patch(PLAN_URL, {"event": "a", "owner": "x"}).status == 404


def test_what_a_plan_cannot_say_of_an_event_is_refused(web: Sender, api: Any, as_bob: Any) -> None:
    for bad in (
        {"event": " "},
        {"event": "a", "status": "maybe"},
        {"event": "a", "owner": "x" * 600},
        {"event": "a", "properties": {"p": {"type": "date"}}},
        {"event": "a\0"},
    ):
        assert api.patch(PLAN_URL, bad).status == 400, bad
    page = as_bob.post("/p/sprout/events/plan/event", {"event": "a", "status": "maybe"}, follow=True).content.decode()
    assert "It is one of expected, deprecated, unexpected." in page
    assert api.get(PLAN_URL).ok["plan"]["events"] == {}
    # a first property that is described does not make the others break the plan
    web.batch(track("Signed Up", properties={"plan": "pro", "coupon": "x"}))
    api.patch(PLAN_URL, {"event": "Signed Up", "properties": {"plan": {"type": "text"}}}).must_succeed()
    assert api.get(PLAN_URL).ok["violations"] == []
