"""`whytree import events FILE` of other tools' exports: recognised, each event once, who is who by the tool's own rules."""

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from whytree.engines.tables.rows import flatten
from whytree.events.history.posthog import POSTHOG as POSTHOG_EXPORT
from whytree.people.models import Person
from whytree.stores.events import EventStore

from .test_import_events import run as run  # the command line, answered in this process

pytestmark = pytest.mark.django_db

DAY = "2026-05-01"


def people(store: EventStore) -> int:
    counted: int = store.value(
        "SELECT uniq(dictGetOrDefault('person_overrides_now', 'canonical', person, person)) FROM events"
    )
    return counted


def rows(store: EventStore) -> dict[str, dict[str, Any]]:
    return {row["event"]: row for row in store.query("SELECT * FROM events ORDER BY timestamp")}


def lines(path: Path, *objects: dict[str, Any]) -> str:
    path.write_text("\n".join(json.dumps(each) for each in objects))
    return str(path)


POSTHOG = (
    {
        "uuid": "0190-1",
        "event": "$pageview",
        "distinct_id": "visit-1",
        "timestamp": f"{DAY} 10:00:00.000000",
        "properties": json.dumps(
            {
                "$current_url": "https://shop.example/pricing",
                "$is_identified": False,
                "$lib": "web",
                "$feature/form": "b",
            }
        ),
    },
    {
        "uuid": "0190-2",
        "event": "$identify",
        "distinct_id": "ana",
        "timestamp": f"{DAY} 10:05:00.000000",
        "properties": json.dumps({"$anon_distinct_id": "visit-1", "$set": {"email": "ana@example.org"}}),
    },
    {
        "uuid": "0190-3",
        "event": "bought",
        "distinct_id": "ana",
        "timestamp": f"{DAY} 10:09:00.000000",
        "properties": json.dumps({"price": 9.5, "$lib": "posthog-node"}),
    },
)


def _check_posthog(store: EventStore) -> None:
    found = rows(store)
    assert set(found) == {"$pageview", "$identify", "bought"}
    assert people(store) == 1
    assert Person.objects.get(key="ana").email == "ana@example.org"
    view = found["$pageview"]
    assert (view["path"], view["platform"], view["flags"]) == ("/pricing", "web", {"form": "b"})
    assert view["timestamp"].isoformat() == "2026-05-01T10:00:00+00:00"
    assert found["bought"]["properties"]["price"] == "9.5"
    assert found["bought"]["source"] == "import"


def test_posthogs_json_lines(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    file = lines(tmp_path / "ph.jsonl", *POSTHOG)
    done = run("import", "events", file)
    assert (done["created"], done["broken"], done["mapping"]) == (3, 0, {"source": "PostHog export"})
    _check_posthog(store)
    again = run("import", "events", file)
    assert (again["created"], again["repeated"]) == (0, 3)
    taken_back = run("event", "undo-import", str(done["id"]))
    assert taken_back["state"] == "undone"
    assert rows(store) == {}


def test_posthogs_parquet(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    parquet.write_table(pyarrow.Table.from_pylist(list(POSTHOG)), tmp_path / "ph.parquet")
    assert run("import", "events", str(tmp_path / "ph.parquet"))["created"] == 3
    _check_posthog(store)


DEVICE, OTHER_DEVICE = "0190b3a2-1111-7aaa-8bbb-000000000001", "0190b3a2-2222-7aaa-8bbb-000000000002"
ANA, BEN, CAT = (f"018f0000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def _row(number: int, event: str, distinct_id: str, person: str, **properties: Any) -> dict[str, Any]:
    """A row of PostHog's batch export."""
    return {
        "uuid": f"0191-{number}",
        "event": event,
        "distinct_id": distinct_id,
        "person_id": person,
        "timestamp": f"{DAY} 10:{number:02d}:00.000000",
        "properties": json.dumps(properties),
    }


HISTORY = (
    _row(1, "opened", DEVICE, ANA, **{"$is_identified": False}),
    _row(2, "opened", "ana", ANA, **{"$is_identified": True}),
    _row(3, "opened", "ana@example.org", ANA, **{"$is_identified": True}),  # joined there by hand: no event says so
    _row(4, "opened", OTHER_DEVICE, BEN, **{"$is_identified": False}),
    _row(5, "$identify", "ben", BEN, **{"$anon_distinct_id": OTHER_DEVICE}),
    _row(6, "$identify", "ben", BEN, **{"$anon_distinct_id": "ana"}),  # PostHog joins no two known people by this
    _row(7, "opened", "cat", CAT, **{"$is_identified": True}),
)


def test_people_are_as_many_as_posthog_shows_and_apart_again_when_its_history_is_taken_back(
    run: Callable[..., Any], store: EventStore, tmp_path: Path, server_key: str
) -> None:
    from .test_posthog import send

    live = {"api_key": server_key, "batch": [{"event": "opened", "distinct_id": one} for one in ("ana", "cat", "dan")]}
    assert send("/batch/", live).status_code == 200
    first = run("import", "events", lines(tmp_path / "one.jsonl", *HISTORY[:2]))
    assert people(store) == 3
    rest = run("import", "events", lines(tmp_path / "two.jsonl", *HISTORY[2:]))  # the next day's file
    assert people(store) == 4  # ana, ben, cat and dan
    assert {one.key for one in Person.objects.filter(merged_into=None)} <= {"ana", "ben", "cat"}
    shown = run("person", "show", DEVICE)
    assert set(shown["ids"]) == {DEVICE, "ana", "ana@example.org"}
    run("event", "undo-import", str(rest["id"]))
    assert people(store) == 3
    run("event", "undo-import", str(first["id"]))
    assert people(store) == 3
    assert store.value("SELECT count() FROM merge_edges WHERE kind = 'link'") == 0
    for name in ("one.jsonl", "two.jsonl"):
        run("import", "events", str(tmp_path / name))
    assert people(store) == 4


def test_what_was_here_before_is_joined_by_an_export_that_tells_more(
    run: Callable[..., Any], store: EventStore, tmp_path: Path
) -> None:
    plain = [{name: value for name, value in row.items() if name != "person_id"} for row in HISTORY[:3]]
    run("import", "events", lines(tmp_path / "plain.jsonl", *plain))
    assert people(store) == 3
    again = run("import", "events", lines(tmp_path / "told.jsonl", *HISTORY[:3]))
    assert (again["created"], again["repeated"], people(store)) == (0, 3, 1)


def test_posthogs_persons_as_its_api_and_its_batch_export_tell_them(
    run: Callable[..., Any], store: EventStore, tmp_path: Path
) -> None:
    plain = [{name: value for name, value in row.items() if name != "person_id"} for row in HISTORY[:3]]
    run("import", "events", lines(tmp_path / "plain.jsonl", *plain))
    told = {
        "id": 7,
        "uuid": ANA,
        "distinct_ids": [DEVICE, "ana"],
        "properties": {"email": "ana@example.org", "plan": "pro"},
        "created_at": f"{DAY}T09:00:00Z",
    }
    done = run("import", "events", lines(tmp_path / "persons.jsonl", told))
    assert (done["created"], done["mapping"]) == (1, {"source": "PostHog persons"})
    assert people(store) == 2
    assert Person.objects.get(key="ana").email == "ana@example.org"
    row = {"distinct_id": "ana@example.org", "person_id": ANA, "properties": "{}", "created_at": f"{DAY} 09:00:00"}
    gone = {**row, "distinct_id": "x", "is_deleted": True}
    done = run("import", "events", lines(tmp_path / "rows.jsonl", row, gone))
    assert (done["created"], done["broken"], people(store)) == (1, 1, 1)


def test_whom_an_import_alone_had_joined_is_two_people_again_without_it(
    run: Callable[..., Any], store: EventStore, tmp_path: Path, capture_key: str
) -> None:
    from .test_posthog import send

    batch = [{"event": "opened", "distinct_id": one} for one in (DEVICE, OTHER_DEVICE)]
    assert send("/batch/", {"api_key": capture_key, "batch": batch}).status_code == 200
    told = {"uuid": ANA, "distinct_ids": [DEVICE, OTHER_DEVICE], "properties": {}, "created_at": f"{DAY}T09:00:00Z"}
    done = run("import", "events", lines(tmp_path / "persons.jsonl", told))
    assert people(store) == 1
    run("event", "undo-import", str(done["id"]))
    assert people(store) == 2
    assert run("person", "show", DEVICE)["ids"] == [DEVICE]


def test_posthogs_events_api_says_all_ids_of_a_person() -> None:
    answered = {
        "id": "0191-1",
        "event": "opened",
        "distinct_id": "ana",
        "timestamp": f"{DAY}T10:00:00Z",
        "properties": {},
        "person": {"is_identified": True, "distinct_ids": [DEVICE, "ana"], "properties": {"plan": "pro"}},
    }
    row = flatten(answered)
    assert POSTHOG_EXPORT.fits(set(row))
    assert POSTHOG_EXPORT.convert(row)["distinct_ids"] == [DEVICE, "ana"]
    assert POSTHOG_EXPORT.profile is not None
    assert POSTHOG_EXPORT.profile(row) == ("ana", {"plan": "pro"})


def test_an_event_that_came_in_live_is_not_imported_again(
    run: Callable[..., Any], store: EventStore, tmp_path: Path, capture_key: str
) -> None:
    from .test_posthog import send

    live = {"api_key": capture_key, "batch": [{"event": "bought", "distinct_id": "ana", "uuid": "0190-3"}]}
    assert send("/batch/", live).status_code == 200
    done = run("import", "events", lines(tmp_path / "ph.jsonl", *POSTHOG))
    assert (done["created"], done["repeated"]) == (2, 1)


def test_segments_raw_messages(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    base = {"sentAt": f"{DAY}T10:00:01Z", "receivedAt": f"{DAY}T10:00:02Z", "anonymousId": "visit-1"}
    packed = tmp_path / "1588327200000.gz"
    messages = (
        {
            **base,
            "type": "page",
            "messageId": "m1",
            "timestamp": f"{DAY}T10:00:00Z",
            "context": {"page": {"path": "/a"}},
        },
        {**base, "type": "identify", "messageId": "m2", "userId": "ana", "timestamp": f"{DAY}T10:01:00Z"}
        | {"traits": {"email": "ana@example.org"}},
        {
            **base,
            "type": "track",
            "messageId": "m3",
            "userId": "ana",
            "event": "Bought",
            "timestamp": f"{DAY}T10:02:00Z",
        }
        | {"properties": {"price": 9.5, "cart": {"items": 2}}},
    )
    packed.write_bytes(gzip.compress("\n".join(map(json.dumps, messages)).encode()))
    done = run("import", "events", str(packed))
    assert (done["created"], done["mapping"]) == (3, {"source": "Segment or RudderStack messages"})
    found = rows(store)
    assert found["$pageview"]["timestamp"].isoformat() == "2026-05-01T10:00:00+00:00", "not corrected twice"
    assert found["$pageview"]["path"] == "/a"
    assert found["Bought"]["properties"]["cart.items"] == "2"
    assert people(store) == 1
    assert Person.objects.get(key="ana").email == "ana@example.org"


def test_a_warehouse_table(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    file = tmp_path / "order_completed.csv"
    file.write_text(
        "id,received_at,timestamp,user_id,anonymous_id,event,event_text,context_page_path,context_library_name,revenue\n"
        f"w1,{DAY} 10:00:02 UTC,{DAY} 10:00:00 UTC,ana,visit-1,order_completed,Order Completed,/pay,analytics.js,9.50\n"
    )
    done = run("import", "events", str(file))
    assert (done["created"], done["mapping"]) == (1, {"source": "Segment or RudderStack warehouse table"})
    (row,) = rows(store).values()
    assert (row["event"], row["distinct_id"], row["path"]) == ("Order Completed", "ana", "/pay")
    assert row["properties"]["revenue"] == "9.50"
    assert row["timestamp"].isoformat() == "2026-05-01T10:00:00+00:00"


def test_mixpanels_export(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    at = 1_777_629_600  # 2026-05-01 10:00 UTC
    seen = {
        "event": "Seen",
        "properties": {"time": at, "distinct_id": "$device:d1", "$device_id": "d1", "$insert_id": "i1"},
    }
    seen["properties"] |= {"$browser": "Chrome", "$current_url": "https://shop.example/a?b=1", "mp_country_code": "DE"}
    bought = {
        "time": at + 60,
        "distinct_id": "ana",
        "$device_id": "d1",
        "$user_id": "ana",
        "$insert_id": "i2",
        "price": 9,
    }
    merge = {"time": at + 90, "distinct_id": "ana", "$distinct_ids": ["ana", "old-ana"], "$insert_id": "i3"}
    old = {"time": at - 90, "distinct_id": "old-ana", "$insert_id": "i4"}
    file = lines(
        tmp_path / "mp.jsonl",
        seen,
        {"event": "Bought", "properties": bought},
        {"event": "$merge", "properties": merge},
        {"event": "Old", "properties": old},
        {"event": "$create_alias", "properties": {"time": at, "distinct_id": "x", "$insert_id": "i5"}},
    )
    done = run("import", "events", file)
    assert (done["created"], done["broken"]) == (4, 1)
    assert "does not name two ids" in done["errors"][0]["reason"]
    found = rows(store)
    assert people(store) == 1
    assert (found["Seen"]["path"], found["Seen"]["country"], found["Seen"]["platform"]) == ("/a", "DE", "web")
    assert found["Bought"]["properties"]["price"] == "9"
    assert found["Bought"]["timestamp"].isoformat() == "2026-05-01T10:01:00+00:00"


def test_amplitudes_export(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    base = {"device_id": "d1", "platform": "iOS", "os_name": "ios", "country": "Germany", "language": "German"}
    file = lines(
        tmp_path / "amp.json",
        {**base, "event_type": "seen", "event_time": f"{DAY} 10:00:00.123000", "$insert_id": "a1", "user_id": None},
        {**base, "event_type": "bought", "event_time": f"{DAY} 10:01:00.000000", "$insert_id": "a2", "user_id": "ana"}
        | {"event_properties": {"price": 9.5}, "user_properties": {"plan": "pro"}, "version_name": "4.2"},
    )
    done = run("import", "events", file)
    assert (done["created"], done["mapping"]) == (2, {"source": "Amplitude export"})
    bought = rows(store)["bought"]
    assert people(store) == 1
    assert (bought["platform"], bought["version"]) == ("ios", "4.2")
    assert {name: bought["properties"][name] for name in ("price", "$set.plan")} == {"price": "9.5", "$set.plan": "pro"}


def test_people_are_as_many_as_amplitude_counts_and_a_shared_device_makes_no_one_of_two(
    run: Callable[..., Any], store: EventStore, tmp_path: Path
) -> None:
    def event(number: int, device: str, user: str | None, amplitude_id: int) -> dict[str, Any]:
        said = {"device_id": device, "user_id": user, "amplitude_id": amplitude_id, "$insert_id": f"a{number}"}
        return {**said, "event_type": f"e{number}", "event_time": f"{DAY} 10:{number:02d}:00.000000"}

    shared = [event(0, "i", None, 6), event(1, "i", "ana", 6), event(2, "i", "ben", 7), event(3, "i", None, 7)]
    before = event(4, "phone", None, 6)  # she had signed in on it before the export begins
    nobody = [event(5, "k", None, 0), event(6, "l", None, 0)]
    done = run("import", "events", lines(tmp_path / "amp.json", *shared, before, *nobody))
    assert (done["created"], people(store)) == (7, 4)
    assert set(run("person", "show", "ana")["ids"]) == {"ana", "i", "phone"}
    assert run("person", "show", "ben")["ids"] == ["ben"]
    assert [set(aside["reason"].split()[:3]) for aside in run("event", "put-aside")] == [{"ben", "and", "i"}]
    run("event", "undo-import", str(done["id"]))
    assert run("person", "show", "ana")["ids"] == ["ana"]


def test_two_users_of_one_device_in_mixpanel_are_two_unless_it_merged_them(
    run: Callable[..., Any], store: EventStore, tmp_path: Path
) -> None:
    def event(number: int, name: str, **properties: Any) -> dict[str, Any]:
        said = {"time": 1_777_629_600 + number, "$insert_id": f"i{number}"}
        return {"event": name, "properties": {**said, "distinct_id": "x", **properties}}

    ana, ben = ({"$device_id": "d1", "$user_id": user} for user in ("ana", "ben"))
    identify = event(3, "$identify", **{"$identified_id": "ben", "$anon_id": "d1"})
    file = lines(tmp_path / "a.jsonl", event(1, "Seen", **ana), event(2, "Seen", **ben), identify)
    assert (run("import", "events", file)["created"], people(store)) == (3, 2)
    merge = event(4, "$merge", **{"$distinct_ids": ["ana", "ben"]})
    assert (run("import", "events", lines(tmp_path / "b.jsonl", merge))["created"], people(store)) == (1, 1)


def test_google_analytics_bigquery_export(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    micro = 1_777_629_600_000_000
    base = {
        "user_pseudo_id": "p1.2",
        "platform": "WEB",
        "device": {"operating_system": "iOS"},
        "geo": {"country": "DE"},
    }
    location = {"key": "page_location", "value": {"string_value": "https://shop.example/a?b=1", "int_value": None}}
    file = lines(
        tmp_path / "ga4.jsonl",
        {**base, "event_name": "page_view", "event_timestamp": str(micro), "event_params": [location]},
        {**base, "event_name": "purchase", "event_timestamp": micro + 1, "user_id": "ana"}
        | {"event_params": [{"key": "value", "value": {"double_value": 9.5}}]},
        {**base, "event_name": "purchase", "event_timestamp": "soon", "event_params": []},
    )
    done = run("import", "events", file)
    assert (done["created"], done["broken"]) == (2, 1)
    found = rows(store)
    assert people(store) == 1
    assert (found["$pageview"]["path"], found["$pageview"]["platform"]) == ("/a", "web")
    assert found["purchase"]["properties"]["value"] == "9.5"
    assert run("import", "events", file)["created"] == 0


def _snowplow(**fields: str) -> str:
    from whytree.events.history.snowplow import _PLACES, FIELDS

    line = [""] * FIELDS
    for name, value in fields.items():
        line[_PLACES[name]] = value
    return "\t".join(line)


def test_snowplows_enriched_events(run: Callable[..., Any], store: EventStore, tmp_path: Path) -> None:
    base = {"platform": "web", "domain_userid": "d1", "collector_tstamp": f"{DAY} 10:00:00.000", "app_id": "shop"}
    own = json.dumps({"schema": "iglu:x", "data": {"schema": "iglu:y", "data": {"price": 9.5}}})
    file = tmp_path / "part-0"
    file.write_text(
        "\n".join(
            [
                _snowplow(
                    **base, event="page_view", event_id="c6ef3124-b53a-4b13-a233-0088f79dcbcb", page_urlpath="/a"
                ),
                _snowplow(**base, event="struct", event_id="c6ef3124-b53a-4b13-a233-0088f79dcbcc", se_action="Liked"),
                _snowplow(
                    **base,
                    event="unstruct",
                    event_id="c6ef3124-b53a-4b13-a233-0088f79dcbcd",
                    event_name="bought",
                    user_id="ana",
                    unstruct_event=own,
                ),
                "torn\tline",
            ]
        )
    )
    done = run("import", "events", str(file))
    assert (done["created"], done["broken"], done["mapping"]) == (3, 1, {"source": "Snowplow enriched events"})
    found = rows(store)
    assert set(found) == {"$pageview", "Liked", "bought"}
    assert people(store) == 1
    assert found["$pageview"]["path"] == "/a"
    assert found["bought"]["properties"]["price"] == "9.5"


def test_a_dry_run_stores_nothing_and_columns_that_are_named_win(
    run: Callable[..., Any], store: EventStore, tmp_path: Path
) -> None:
    file = lines(tmp_path / "ph.jsonl", *POSTHOG)
    checked = run("import", "events", file, "--dry-run")
    assert (checked["created"], checked["dry_run"]) == (3, True)
    assert rows(store) == {}
    plain = run("import", "events", file, "--source", "table")
    assert "source" not in plain["mapping"]
    assert "is no source" in run("import", "events", file, "--source", "nonsense", ok=False)


def test_rows_that_are_no_events_are_listed_with_their_reason(
    run: Callable[..., Any], store: EventStore, tmp_path: Path
) -> None:
    nameless = {**POSTHOG[0], "event": "", "uuid": "0190-9"}
    timeless = {**POSTHOG[0], "timestamp": "", "uuid": "0190-8"}
    future = {**POSTHOG[0], "timestamp": "2999-01-01 00:00:00", "uuid": "0190-7"}
    done = run("import", "events", lines(tmp_path / "ph.jsonl", POSTHOG[0], nameless, timeless, future))
    assert (done["created"], done["broken"]) == (1, 3)
    reasons = {error["row"]: error["reason"] for error in done["errors"]}
    assert "no name" in reasons[2]
    assert "no time" in reasons[3]
    assert "2999" in reasons[4]


def test_what_a_batch_export_repeats_of_people_is_their_profile(
    run: Callable[..., Any], store: EventStore, tmp_path: Path
) -> None:
    def event(number: int, plan: str) -> dict[str, Any]:
        properties = {"$lib": "posthog-python", "$is_server": True}
        return {
            "uuid": f"0190-{number}",
            "event": "opened",
            "distinct_id": "ana",
            "timestamp": f"{DAY} 10:0{number}:00",
            "properties": json.dumps(properties),
            "person_properties": json.dumps({"plan": plan, "email": "ana@example.org"}),
        }

    file = lines(tmp_path / "ph.jsonl", event(1, "free"), event(2, "free"), event(3, "pro"))
    assert run("import", "events", file)["created"] == 3
    assert Person.objects.get(key="ana").plan == "pro"
    told = store.query("SELECT properties['$set.plan'] AS plan FROM events ORDER BY timestamp")
    assert [row["plan"] for row in told] == ["free", "", "pro"]  # where it changed


def test_amplitudes_hours_come_in_one_archive_with_what_was_known_of_people(
    run: Callable[..., Any], store: EventStore, tmp_path: Path
) -> None:
    def event(number: int, plan: str) -> bytes:
        said = {
            "event_type": f"e{number}",
            "event_time": f"{DAY} 10:0{number}:00.000000",
            "user_id": "ana",
            "device_id": "d1",
            "amplitude_id": 7,
            "$insert_id": f"i{number}",
            "user_properties": {"plan": plan},
            "groups": {"company": ["acme"]},
        }
        return gzip.compress(json.dumps(said).encode())

    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1/1_2026-05-01_9#0.json.gz", event(1, "free"))
        archive.writestr("1/1_2026-05-01_10#0.json.gz", event(2, "pro"))
        archive.writestr("__MACOSX/._x", b"")
    done = run("import", "events", str(path))
    assert (done["created"], done["broken"], done["mapping"]) == (2, 0, {"source": "Amplitude export"})
    found = rows(store)
    assert [found[f"e{number}"]["properties"]["$set.plan"] for number in (1, 2)] == ["free", "pro"]
    assert found["e1"]["properties"]["$groups.company"] == "acme"
    assert Person.objects.get(key="ana").plan == "pro"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a,b")
    assert "unpack it" in run("import", "events", str(path), ok=False)


def test_mixpanels_profiles_are_people_and_no_events_of_their_names(
    run: Callable[..., Any], store: EventStore, tmp_path: Path
) -> None:
    known = {"$name": "Ana K", "$email": "ana@example.org", "plan": "pro", "$last_seen": f"{DAY}T10:00:00"}
    profile = lines(tmp_path / "people.jsonl", {"$distinct_id": "ana", "$properties": known})
    event = {"event": "Paid", "properties": {"distinct_id": "ana", "time": 1_777_629_600, "$insert_id": "i-1"}}
    several = run("import", "events", lines(tmp_path / "events.jsonl", event), profile)
    assert [(one["created"], one["mapping"]["source"]) for one in several] == [
        (1, "Mixpanel export"),
        (1, "Mixpanel profiles"),
    ]
    assert set(rows(store)) == {"Paid", "$identify"}
    person = Person.objects.get(key="ana")
    assert (person.name, person.email, person.plan) == ("Ana K", "ana@example.org", "pro")
    assert run("import", "events", profile)["repeated"] == 1
