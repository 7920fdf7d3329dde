"""Flags over REST."""

from typing import Any

import pytest

pytestmark = pytest.mark.django_db

FLAGS = "/products/sprout/flags"


def test_a_flag_from_making_to_archive(api: Any, hypothesis: Any) -> None:
    made = api.post(FLAGS, {"key": "ask-later", "hypothesis": hypothesis.ref})
    assert made.status == 201
    assert made.ok["state"] == "off"
    assert (made.ok["solution"], made.ok["hypothesis"], made.ok["justified"]) == ("SOL-1", "HYP-1", True)
    assert made.ok["weights"] == {"on": 1, "off": 1}
    assert made.ok["bucketing"] == "3"

    path = f"{FLAGS}/ask-later"
    assert api.post(f"{path}/open", {"coverage_percent": 12.5}).ok["state"] == "on 12.5 %"
    assert api.post(f"{path}/rollout", {"weights": {"on": 3, "off": 1}}).ok["coverage_percent"] == 12.5
    assert api.post(f"{path}/off").ok["state"] == "off"
    assert api.post(f"{path}/on").ok["state"] == "on 12.5 %"
    assert api.patch(path, {"name": "New", "hypothesis": None}).ok["justified"] is False
    assert api.get(path).ok["solution"] == "SOL-1"
    assert [flag["key"] for flag in api.get(FLAGS).ok] == ["ask-later"]
    changes = api.get(f"{path}/changes").ok
    assert [(change["is_on"], change["coverage_percent"]) for change in changes] == [
        (True, 12.5),
        (False, 12.5),
        (True, 12.5),
        (True, 12.5),
        (False, 0),
    ]
    assert changes[0]["by"] == "Alice"
    assert api.delete(path).ok["state"] == "archived"
    assert api.get(FLAGS).ok == []
    assert [flag["key"] for flag in api.get(f"{FLAGS}?archived=true").ok] == ["ask-later"]
    assert api.post(f"{path}/restore").ok["state"] == "off"


def test_an_evaluation_explains_itself_and_is_no_exposure(api: Any, no_worker: Any) -> None:
    api.post(FLAGS, {"key": "quarter", "weights": {"on": 1, "off": 1}})
    api.post(f"{FLAGS}/quarter/open", {"coverage_percent": 25})
    answer = api.post(f"{FLAGS}/quarter/evaluate", {"targeting_key": "u-5"}).ok
    assert (answer["variant"], answer["value"], answer["reason"], answer["in_rollout"]) == ("on", True, "SPLIT", True)
    assert answer["coverage_bucket"] == 945
    assert len(answer["explanation"]) == 3
    missing = api.post(f"{FLAGS}/quarter/evaluate").ok
    assert missing["error"] == "TARGETING_KEY_MISSING"
    assert not no_worker._waiting


def test_values_keep_their_type(api: Any) -> None:
    api.post(FLAGS, {"key": "price", "kind": "number", "variants": {"control": 10, "low": 7.5}})
    assert (
        b'"control": 10.0'
        in api._client.get(f"/api{FLAGS}/price", headers={"Authorization": f"Bearer {api.token}"}).content
    )


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("", {"key": "a b"}, "cannot be a flag key"),
        ("", {"key": "a", "solution": "HYP-1"}, "HYP-1 is no solution"),
        ("", {"key": "a", "hypothesis": "SOL-1"}, "SOL-1 is no hypothesis"),
        ("", {"key": "a", "weights": {"on": 0.5}}, "weights.on"),
        ("/f/open", {"coverage_percent": 0}, "open to nobody"),
        ("/f/open", {"coverage_percent": 100.5}, "between 0 and 100 %"),
        ("/f/open", {"coverage_percent": 0.001}, "two decimals"),
        ("/f/rollout", {"weights": {}}, "All weights are 0"),
        ("/f/rollout", {"enabled": True}, "enabled: there is no such field here"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(api: Any, hypothesis: Any, path: str, body: Any, says: str) -> None:
    api.post(FLAGS, {"key": "f"})
    refused = api.post(FLAGS + path, body)
    assert refused.status == 400
    assert says in refused.body["message"]


def test_a_solution_that_is_not_there_is_404(api: Any) -> None:
    assert api.post(FLAGS, {"key": "a", "solution": "SOL-99"}).status == 404
    assert api.get(f"{FLAGS}/nope").status == 404


def test_a_viewer_reads_and_an_outsider_sees_nothing(api: Any, api_viewer: Any, api_charlie: Any) -> None:
    api.post(FLAGS, {"key": "f"})
    assert api_viewer.get(f"{FLAGS}/f").status == 200
    assert api_viewer.post(f"{FLAGS}/f/evaluate", {"targeting_key": "x"}).status == 200
    writes = [
        ("", {"key": "g"}),
        ("/f/open", {}),
        ("/f/rollout", {}),
        ("/f/on", {}),
        ("/f/off", {}),
        ("/f/restore", {}),
    ]
    for path, body in writes:
        assert api_viewer.post(FLAGS + path, body).status == 403
        assert api_charlie.post(FLAGS + path, body).status == 404
    assert api_viewer.delete(f"{FLAGS}/f").status == 403
    assert api_charlie.get(FLAGS).status == 404
    assert api_charlie.get(f"{FLAGS}/f/exposures").status == 404


def test_exposures_are_people_per_variant_and_day(api: Any, product: Any, store: Any, no_worker: Any) -> None:
    api.post(FLAGS, {"key": "f"})
    for unit in ("a", "b"):
        no_worker.note(product.pk, "f", unit, "on", "SPLIT", "server")
    no_worker.flush()
    [row] = api.get(f"{FLAGS}/f/exposures").ok
    assert (row["variant"], row["people"]) == ("on", 2)
    assert api.get(f"{FLAGS}/f/exposures?days=0").status == 400
    assert {(one["variant"], one["id"]) for one in api.get(f"{FLAGS}/f/people").ok} == {("on", "b"), ("on", "a")}
    assert len(api.get(f"{FLAGS}/f/people?limit=1").ok) == 1
    assert api.get(f"{FLAGS}/f/people?limit=0").status == 400
