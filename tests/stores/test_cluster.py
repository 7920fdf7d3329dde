"""What our statements become on a cluster. Replicated tables need a keeper: they are parsed here, and nothing more."""

import re

import pytest

from whytree.stores.engine.cluster import SHARDED_BY, Cluster
from whytree.stores.engine.schema import MIGRATIONS
from whytree.stores.events import EventStore

STATEMENTS = [one.replace("{database}", "`w`") for migration in MIGRATIONS for one in migration.statements]
THREE = Cluster("three")


def test_every_table_has_a_shard_for_its_rows() -> None:
    tables = {found[1] for one in STATEMENTS if (found := re.search(r"CREATE TABLE IF NOT EXISTS (\w+)", one))}
    assert tables | {"migrations"} == set(SHARDED_BY)


def test_every_statement_of_the_schema_parses_for_a_cluster(store: EventStore) -> None:
    for one in (made for statement in STATEMENTS for made in THREE.statements(statement, "w")):
        assert "ON CLUSTER 'three'" in one
        assert store.query(f"EXPLAIN AST {one}")


def test_a_table_becomes_its_rows_and_what_stands_over_all_shards() -> None:
    create = next(one for one in STATEMENTS if "TABLE IF NOT EXISTS person_overrides" in one)
    rows, over_all = THREE.statements(create, "`w`")
    assert "person_overrides_local ON CLUSTER 'three'" in rows
    assert "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/w/person_overrides', '{replica}', version)" in rows
    assert over_all.endswith("ENGINE = Distributed('three', 'w', 'person_overrides_local', person)")


@pytest.mark.parametrize(
    ("ours", "there"),
    [
        ("ALTER TABLE events DELETE WHERE 1", ["ALTER TABLE events_local ON CLUSTER 'three' DELETE WHERE 1"]),
        ("TRUNCATE TABLE events", ["TRUNCATE TABLE events_local ON CLUSTER 'three'"]),
        ("SYSTEM RELOAD DICTIONARY d", ["SYSTEM RELOAD DICTIONARY ON CLUSTER 'three' d"]),
        ("CREATE DATABASE IF NOT EXISTS `w`", ["CREATE DATABASE IF NOT EXISTS `w` ON CLUSTER 'three'"]),
        ("INSERT INTO events SELECT 1", ["INSERT INTO events SELECT 1"]),
    ],
)
def test_what_changes_rows_goes_to_where_they_are(ours: str, there: list[str]) -> None:
    assert THREE.statements(ours, "w") == there
