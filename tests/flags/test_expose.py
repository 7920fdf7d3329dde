"""Who counts as exposed, how often, and what becomes of it."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from whytree.errors import Unavailable
from whytree.flags.evaluation import exposures
from whytree.flags.evaluation.exposures import Exposure, ExposureQueue
from whytree.flags.queries import exposure_table, exposures_by_day
from whytree.flags.services import create_flag, flags_in_force, open_flag, set_rollout, turn_off
from whytree.workspace import sockets

pytestmark = pytest.mark.django_db


class Taken:
    """A writer that remembers, and refuses while told to."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, str, list[Exposure]]] = []
        self.refuses = False

    def __call__(self, product_id: int, source: str, exposures: Sequence[Exposure]) -> None:
        if self.refuses:
            raise Unavailable("The disk is full.")
        self.batches.append((product_id, source, list(exposures)))

    @property
    def units(self) -> list[str]:
        return [exposure.unit for _, _, batch in self.batches for exposure in batch]


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
def queue(taken: Taken) -> ExposureQueue:
    return ExposureQueue(taken)


@pytest.fixture
def flag(actor: Any, product: Any) -> Any:
    create_flag(actor, product, key="quarter", weights={"on": 1, "off": 1})
    return open_flag(actor, product, "quarter", coverage=2_500)


def ask(path: str, key: str, unit: str, **more: str) -> Any:
    return Client().post(
        f"/ofrep/v1/evaluate/flags{path}",
        {"context": {"targetingKey": unit, **more}},
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )


def test_a_single_evaluation_in_the_rollout_becomes_an_exposure_event(
    flag: Any, product: Any, server_key: str, store: Any, no_worker: ExposureQueue
) -> None:
    for unit in ("u-5", "u-5", "maria"):  # u-5 is in the rollout, maria is not
        assert ask("/quarter", server_key, unit).status_code == 200
    ask("", server_key, "u-5")  # all flags at once: no exposure
    no_worker.flush()
    [row] = store.query("SELECT event, distinct_id, properties, flags, source FROM events")
    assert (row["event"], row["distinct_id"], row["source"]) == ("$exposure", "u-5", "server")
    assert {name: row["properties"][name] for name in ("flag", "variant", "reason")} == {
        "flag": "quarter",
        "variant": "on",
        "reason": "SPLIT",
    }
    assert row["flags"] == {"quarter": "on"}


def test_a_flag_that_switches_is_met_anew_in_each_period(
    flag: Any, actor: Any, product: Any, server_key: str, store: Any, no_worker: ExposureQueue
) -> None:
    """Once in its washout, once after it, whoever asks how often; with the region that was sent."""
    start = int(datetime.now(UTC).timestamp()) - 3_600 * 5
    for washout in (0, 30):  # the same minute of the same period, counting and not
        switching = {"minutes": 1_440, "washout": washout * 24, "by": "city", "seed": "s", "start": start}
        set_rollout(actor, product, "quarter", coverage=10_000, switching=switching)
        for _ in range(3):
            answer = ask("/quarter", server_key, "u-5", city="riga").json()
            assert answer["reason"] == "SPLIT"
    no_worker.flush()
    rows = store.query("SELECT event_id, properties FROM events")
    assert [row["properties"]["city"] for row in rows] == ["riga", "riga"]
    assert len({row["event_id"] for row in rows}) == 2


def test_a_repetition_from_another_process_is_the_same_event(
    flag: Any, product: Any, server_key: str, store: Any, no_worker: ExposureQueue
) -> None:
    ask("/quarter", server_key, "u-5")
    no_worker.flush()
    elsewhere = ExposureQueue(exposures.deliver)
    elsewhere.note(product.pk, "quarter", "u-5", "on", "SPLIT", "server")
    elsewhere.flush()
    assert len({row["event_id"] for row in store.query("SELECT event_id FROM events")}) == 1


def test_people_are_counted_per_variant_and_day(
    flag: Any, product: Any, server_key: str, capture_key: str, store: Any, no_worker: ExposureQueue
) -> None:
    for n in range(200):
        ask("/quarter", server_key if n % 2 else capture_key, f"u-{n}")
    no_worker.flush()
    table = exposure_table(flag)
    expected = [flags_in_force(product.pk, f"u-{n}").get("quarter") for n in range(200)]
    assert table.variants == ["off", "on"]
    assert table.totals == [expected.count("off"), expected.count("on")]
    assert sum(row.people for row in exposures_by_day(flag)) == table.people > 20


def test_the_first_exposure_of_a_flag_is_told(
    flag: Any, product: Any, server_key: str, store: Any, no_worker: ExposureQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setitem(sockets._listeners, "exposure_received", [lambda **fact: told.append(fact)])
    for unit in ("u-5", "u-7", "u-8"):
        ask("/quarter", server_key, unit)
        no_worker.flush()
    assert [(fact["product_id"], fact["flag_key"]) for fact in told] == [(product.pk, "quarter")]


def test_an_id_too_long_to_store_is_evaluated_but_not_written(
    flag: Any, actor: Any, product: Any, server_key: str, store: Any, no_worker: ExposureQueue
) -> None:
    open_flag(actor, product, "quarter")
    assert ask("/quarter", server_key, "x" * 500).json()["reason"] == "SPLIT"
    ask("/quarter", server_key, "u-5")
    no_worker.flush()
    assert [row["distinct_id"] for row in store.query("SELECT distinct_id FROM events")] == ["u-5"]


def test_one_unit_counts_once_per_flag_variant_and_day(
    queue: ExposureQueue, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 6, 1, 23, 59, tzinfo=UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return now

    monkeypatch.setattr(exposures, "datetime", Clock)
    for _ in range(3):
        queue.note(1, "f", "a", "on", "SPLIT", "server")
    queue.note(1, "f", "a", "off", "SPLIT", "server")
    queue.note(1, "g", "a", "on", "SPLIT", "server")
    queue.note(2, "f", "a", "on", "SPLIT", "server")
    now += timedelta(minutes=2)
    queue.note(1, "f", "a", "on", "SPLIT", "server")
    queue.flush()
    assert len(taken.units) == 5
    ids = {(product_id, exposure.message_id) for product_id, _, batch in taken.batches for exposure in batch}
    assert len(ids) == 5


def test_while_the_store_refuses_exposures_wait_in_order(queue: ExposureQueue, taken: Taken) -> None:
    taken.refuses = True
    for unit in "abc":
        queue.note(1, "f", unit, "on", "SPLIT", "server")
    with pytest.raises(Unavailable):
        queue.flush()
    queue.note(1, "f", "d", "on", "SPLIT", "server")
    taken.refuses = False
    queue.flush()
    assert taken.units == ["a", "b", "c", "d"]


def test_a_full_queue_never_blocks_and_takes_the_person_next_time(taken: Taken) -> None:
    queue = ExposureQueue(taken, capacity=2)
    for unit in "abc":
        queue.note(1, "f", unit, "on", "SPLIT", "server")
    assert queue.refused == 1
    queue.flush()
    queue.note(1, "f", "c", "on", "SPLIT", "server")
    queue.flush()
    assert taken.units == ["a", "b", "c"]


def test_the_worker_writes_by_itself(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the real worker
    monkeypatch.setattr(exposures, "close_old_connections", lambda: None)
    written = threading.Event()
    queue = ExposureQueue(lambda *batch: (taken(*batch), written.set())[0])
    queue.note(1, "f", "a", "on", "SPLIT", "server")
    assert written.wait(20)
    assert taken.units == ["a"]


def test_variants_in_force_are_those_of_open_flags_that_include_the_person(
    actor: Any, product: Any, flag: Any, django_assert_num_queries: Any
) -> None:
    create_flag(actor, product, key="dark")
    create_flag(actor, product, key="all")
    open_flag(actor, product, "all")
    assert flags_in_force(product.pk, "u-5") == {"all": "on", "quarter": "on"}
    assert flags_in_force(product.pk, "maria") == {"all": "on"}
    with django_assert_num_queries(0):
        assert sockets.variants_in_force(product.pk, "maria") == {"all": "on"}
    turn_off(actor, product, "all")
    assert flags_in_force(product.pk, "maria") == {}


def test_a_flag_drawn_by_company_says_which_company_decided(
    actor: Any, product: Any, server_key: str, store: Any, no_worker: ExposureQueue
) -> None:
    from whytree.flags.services import set_rules

    create_flag(actor, product, key="halves", weights={"on": 1, "off": 1})
    set_rules(actor, product, "halves", unit="company")
    open_flag(actor, product, "halves")
    body = {"context": {"targetingKey": "maria", "company": "acme"}}
    sent = Client().post(
        "/ofrep/v1/evaluate/flags/halves",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {server_key}"},
    )
    assert sent.status_code == 200
    no_worker.flush()
    [row] = store.query("SELECT distinct_id, properties FROM events")
    assert (row["distinct_id"], row["properties"]["$groups.company"]) == ("maria", "acme")
