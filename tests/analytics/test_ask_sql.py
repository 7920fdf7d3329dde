"""SQL that a person typed, at its doors and in the engine: this product's events and nothing else."""

from typing import Any

import pytest

from whytree.stores.questions.typed_sql import run_typed

SQL = "/products/sprout/sql"

pytestmark = pytest.mark.usefixtures("five_sign_up_three_plant")


def test_it_answers_with_columns_and_rows(api: Any) -> None:
    asked = "SELECT event, count() AS n, uniqExact(person) AS people FROM events GROUP BY event ORDER BY event"
    assert api.post(SQL, {"sql": asked}).ok == {
        "columns": ["event", "n", "people"],
        "rows": [["planted", 4, 4], ["signed_up", 6, 6]],
        "cut": False,
    }


def test_another_products_events_are_not_there(api: Any, store: Any, product: Any) -> None:
    store.insert("events", [{"product": product.pk + 1, "person": 1, "event": "theirs", "timestamp": 1_700_000_000}])
    for asked in (
        "SELECT countIf(event = 'theirs') AS n FROM events",
        "WITH a AS (SELECT event FROM events) SELECT countIf(event = 'theirs') AS n FROM a",
        "SELECT count() AS n FROM events WHERE event IN (SELECT event FROM events WHERE event = 'theirs')",
    ):
        assert api.post(SQL, {"sql": asked}).ok["rows"] == [[0]]
    assert api.post(SQL, {"sql": "SELECT product FROM events"}).status == 400


@pytest.mark.parametrize(
    "asked",
    [
        "SELECT count() AS n FROM events WHERE toInt64(distinct_id) >= 0",
        "SELECT count() AS n FROM (SELECT toInt64(distinct_id) AS id FROM events) AS mine WHERE id >= 0",
        "SELECT countIf(id >= 0) AS n FROM (SELECT CAST(distinct_id AS Int64) AS id FROM events WHERE timestamp > '2020-01-01') AS a",
        "SELECT count() AS n FROM events AS a JOIN events AS b ON a.timestamp = b.timestamp AND toInt64(b.distinct_id) >= 0",
        "SELECT count() AS n FROM events WHERE person IN (SELECT person FROM events WHERE toInt64(distinct_id) >= 0)",
        "SELECT distinct_id, count() AS n FROM events GROUP BY distinct_id HAVING toInt64(distinct_id) >= 0",
        "WITH a AS (SELECT * FROM events) SELECT count() AS n FROM a WHERE 1 % (length(distinct_id) - 18) = 0",
    ],
)
def test_what_a_filter_stumbles_over_names_nobody_of_another_product(
    api: Any, store: Any, product: Any, asked: str
) -> None:
    def rows(of: int, name: str) -> list[dict[str, Any]]:
        common = {"event": "at", "timestamp": 1_700_000_000, "distinct_id": name}
        return [{"product": of, "person": number, **common} for number in range(50)]

    store.insert("events", rows(product.pk + 1, "bob@secret.example") + rows(product.pk + 2, "bob@secret.example"))
    store.insert("events", rows(product.pk + 3, "7"))
    store.execute("OPTIMIZE TABLE events FINAL")
    found = run_typed(product.pk + 3, asked)
    assert found.rows


@pytest.mark.parametrize(
    "asked",
    [
        "SELECT * FROM file('/etc/passwd')",
        "SELECT event FROM events SETTINGS apply_deleted_mask = 0",
        "SELECT * FROM system.tables",
        "SELECT nothing FROM events",
        "SELECT event FROM events GROUP BY person",
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(api: Any, as_bob: Any, asked: str) -> None:
    refused = api.post(SQL, {"sql": asked})
    assert (refused.status, "Traceback" in refused.body["message"]) == (400, False)
    assert as_bob.post("/p/sprout/ask/sql", {"sql": asked}).status_code == 400


def test_a_column_that_is_not_there_is_answered_with_those_that_are(api: Any) -> None:
    said = api.post(SQL, {"sql": "SELECT event_id FROM events"}).body["message"]
    assert said.startswith("The engine says: there is no column event_id. There are person, distinct_id, timestamp")


def test_too_many_rows_are_cut_and_said(api: Any, store: Any, product: Any) -> None:
    rows = [{"product": product.pk, "person": n, "event": "many", "timestamp": 1_700_000_000} for n in range(1_100)]
    store.insert("events", rows)
    found = api.post(SQL, {"sql": "SELECT person FROM events WHERE event = 'many'"}).ok
    assert (len(found["rows"]), found["cut"]) == (1_000, True)


def test_the_page_shows_texts_as_texts_and_gives_a_file(
    as_bob: Any, as_viewer: Any, as_charlie: Any, happened: Any
) -> None:
    happened(9, "<script>alert(1)</script>", 1)
    happened(9, "=cmd()", 1)
    asked = {"sql": "SELECT DISTINCT event FROM events ORDER BY event"}
    body = as_bob.post("/p/sprout/ask/sql", asked).content.decode()
    assert "&lt;script&gt;" in body
    assert "<script>alert" not in body
    assert "'=cmd()" in as_bob.post("/p/sprout/ask/sql", {**asked, "form": "csv"}).content.decode()
    assert [one.get("/p/sprout/ask/sql").status_code for one in (as_bob, as_viewer, as_charlie)] == [200, 403, 404]
