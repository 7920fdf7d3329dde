"""Companies as real clients tell of them, in questions and metrics at every door."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from whytree.analytics.queries import measure
from whytree.analytics.services import create_metric
from whytree.errors import Invalid
from whytree.experiments.underway.countings import counting


@pytest.fixture
def told(store: Any, capture_key: str, server_key: str) -> None:
    """Two companies by PostHog's `$groups` and `$groupidentify`, one by Segment's group; a person without any."""
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)

    def posthog(event: str, person: str, **properties: Any) -> dict[str, Any]:
        return {"event": event, "distinct_id": person, "timestamp": noon.isoformat(), "properties": properties}

    batch = [
        posthog("opened", "p1", **{"$groups": {"company": "acme"}}),
        posthog("opened", "p2", **{"$groups": {"company": "acme"}}),
        posthog("opened", "p3", **{"$groups": {"company": "beta"}}),
        posthog(
            "$groupidentify",
            "$company_acme",
            **{"$group_type": "company", "$group_key": "acme", "$group_set": {"plan": "pro"}},
        ),
        posthog(
            "$groupidentify",
            "$company_beta",
            **{"$group_type": "company", "$group_key": "beta", "$group_set": {"plan": "free"}},
        ),
    ]
    post("/batch/", {"api_key": server_key, "batch": batch})
    at = {"timestamp": noon.isoformat()}
    calls = [
        {"type": "group", "userId": "s1", "groupId": "gamma", "traits": {"name": "Gamma Ltd", "plan": "pro"}, **at},
        {"type": "track", "userId": "s1", "event": "opened", **at},
        {"type": "track", "userId": "alone", "event": "opened", **at},
    ]
    basic = base64.b64encode(f"{server_key}:".encode()).decode()
    post("/v1/batch", {"batch": calls}, Authorization=f"Basic {basic}")


def post(path: str, body: Any, **headers: str) -> None:
    answer = Client().generic("POST", path, json.dumps(body), content_type="application/json", headers=headers)
    assert answer.status_code == 200, answer.content


def total(answer: Any, value: str | None = None) -> float:
    (line,) = [line for line in answer["lines"] if line["value"] == value]
    return float(sum(each["value"] or 0 for each in line["stretches"]))


@pytest.mark.usefixtures("told")
def test_trends_count_filter_and_tell_companies_apart(api: Any) -> None:
    question = {"version": 1, "kind": "trends", "series": ["opened"], "days": 3}

    def ask(**more: Any) -> Any:
        return api.post("/products/sprout/ask", {"question": {**question, **more}}).ok

    assert total(ask(measure="companies")) == 3
    pro = [{"field": "company:plan", "operator": "is", "values": ["pro"]}]
    assert total(ask(where=pro)) == 3
    assert total(ask(where=pro, measure="companies")) == 2
    assert total(ask(where=[{"field": "company:plan", "operator": "is not", "values": ["pro"]}])) == 2
    assert total(ask(where=[{"field": "$groups.company", "operator": "is", "values": ["acme"]}])) == 2  # as said then
    by = ask(by="company:plan")
    assert {line["value"]: sum(each["value"] for each in line["stretches"]) for line in by["lines"]} == {
        "pro": 3,
        "free": 1,
        "": 1,
    }
    named = ask(by="company:name")
    assert {line["value"] for line in named["lines"]} == {"acme", "beta", "Gamma Ltd", ""}
    for field, said in {"company:": "company:plan", "company:plam": "“plan”", "then:company:plam": "“plan”"}.items():
        refused = api.post("/products/sprout/ask", {"question": {**question, "by": field}})
        assert (refused.status, said in refused.body["message"]) == (400, True)


@pytest.mark.usefixtures("told")
def test_what_was_known_of_a_company_then_is_told_from_what_is_known_now(
    api: Any, as_alice: Any, server_key: str
) -> None:
    bigger = {"$group_type": "company", "$group_key": "acme", "$group_set": {"plan": "enterprise"}}
    posted = {"event": "$groupidentify", "distinct_id": "$company_acme", "properties": bigger}
    post("/batch/", {"api_key": server_key, "batch": [posted]})
    question = {"version": 1, "kind": "trends", "series": ["opened"], "interval": "whole", "days": 3}

    def groups(by: str) -> dict[str, float]:
        found = api.post("/products/sprout/ask", {"question": {**question, "by": by}}).ok
        return {line["value"]: line["stretches"][0]["value"] for line in found["lines"]}

    assert groups("company:plan") == {"enterprise": 2, "free": 1, "pro": 1, "": 1}
    assert groups("then:company:plan") == {"pro": 3, "free": 1, "": 1}
    where = [{"field": "then:company:plan", "operator": "is not", "values": ["pro"]}]
    found = api.post("/products/sprout/ask", {"question": {**question, "where": where}}).ok
    assert (total(found), "company’s plan then is not pro" in found["asked"]) == (2, True)
    page = as_alice.get("/p/sprout/ask/trends?event=opened&by=then:company:plan").content.decode()
    assert '<option value="then:company:plan">' in page
    assert "company’s plan then" in page


@pytest.mark.usefixtures("told")
def test_funnels_and_retention_group_by_company(api: Any) -> None:
    funnel = {"version": 1, "kind": "funnel", "steps": ["opened", "opened"], "by": "company:plan", "days": 3}
    found = api.post("/products/sprout/ask", {"question": funnel}).ok
    assert {group["value"]: group["steps"][0]["people"] for group in found["groups"]} == {"pro": 3, "free": 1, "": 1}
    retention = {"version": 1, "kind": "retention", "begin": "opened", "by": "company:plan", "days": 3}
    assert api.post("/products/sprout/ask", {"question": retention}).status == 200


@pytest.mark.usefixtures("told")
def test_a_metric_counts_companies(actor: Any, product: Any, api: Any, as_alice: Any) -> None:
    definition = {"version": 1, "kind": "unique", "event": "opened", "by_company": True}
    metric = create_metric(actor, product, key="active_companies", definition=definition)
    found = measure(metric)
    assert (found.value, found.n, found.unit) == (3, 3, "companies")
    assert "companies who did “opened”" in found.source
    mean = {"version": 1, "kind": "mean", "event": "opened", "per": "person", "by_company": True}
    assert measure(create_metric(actor, product, key="each", definition=mean)).value == pytest.approx(4 / 3)
    with pytest.raises(Invalid, match="draws people"):
        counting(metric, timedelta(days=14))
    page = as_alice.get("/p/sprout/numbers/active_companies/edit").content.decode()
    assert 'name="by_company" value="1" checked' in page
    bad = {"key": "x", "definition": {**definition, "by_company": "yes"}}
    assert api.post("/products/sprout/metrics", bad).status == 400
    text = api.get("/products/sprout/metrics-file").ok["text"]
    assert "by_company: true" in text
    assert api.post("/products/sprout/metrics-file", {"text": text}).ok == []
