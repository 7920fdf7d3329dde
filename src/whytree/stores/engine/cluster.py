"""The same tables on a ClickHouse cluster: what each statement of ours becomes there. Pure.

A table `events` is then two: `events_local`, which holds rows and is replicated within a shard, and `events` over all shards, which is read
and written. A person's rows lie on one shard, so that what is asked of each person is answered where their rows are.
"""

import re
from dataclasses import dataclass

LOCAL = "_local"
#: What a row's shard is told by: rows that may fold into one, and rows of one person, lie together.
SHARDED_BY = {
    "events": "person",
    "cohort_members": "person",
    "person_overrides": "person",
    "merge_edges": "cityHash64(one, other)",
    "catalogue": "cityHash64(event, property)",
    "quarantine": "rand()",
    "marks": "cityHash64(name)",
    "migrations": "number",
}
#: With these a subquery is asked once and its answer sent to the shards, and an insert returns when its shard has it on disk.
SETTINGS = {
    "distributed_foreground_insert": "1",
    "distributed_product_mode": "global",
    "prefer_global_in_and_join": "1",
}
_REPLICATED = "ENGINE = Replicated{kind}('/clickhouse/tables/{{shard}}/{database}/{table}', '{{replica}}'{rest})"
_CREATE = re.compile(
    r"\s*CREATE TABLE IF NOT EXISTS (?P<table>\w+)(?P<columns>.*?)ENGINE = (?P<kind>\w*MergeTree)(?P<given>\([^)]*\))?",
    re.DOTALL,
)
_ALTER = re.compile(r"\s*(?P<verb>ALTER|TRUNCATE|OPTIMIZE) TABLE (?P<table>\w+)(?P<what>.*)", re.DOTALL)
_SORTED = re.compile(r",\s*MODIFY ORDER BY.*", re.DOTALL)
_ALIKE = re.compile(
    r"\s*(?P<verb>CREATE (?:DATABASE|DICTIONARY) IF NOT EXISTS) (?P<name>[\w`]+)(?P<rest>.*)", re.DOTALL
)
_RELOAD = re.compile(r"\s*SYSTEM RELOAD DICTIONARY (?P<name>\w+)\s*")


@dataclass(frozen=True)
class Cluster:
    """`replicated` is false where tables are plain and statements are for this node alone: one shard without a keeper."""

    name: str
    replicated: bool = True

    def statements(self, sql: str, database: str) -> list[str]:
        """What to run in place of one statement that gives no rows."""
        database = database.strip("`")
        if found := _CREATE.match(sql):
            return self._create(sql, found, database)
        if found := _ALTER.match(sql):
            local = f"{found['verb']} TABLE {found['table']}{LOCAL}{self._everywhere}{found['what']}"
            over_all = f"{found['verb']} TABLE {found['table']}{self._everywhere}{_SORTED.sub('', found['what'])}"
            return [local, over_all] if "ADD COLUMN" in found["what"] else [local]
        if found := _ALIKE.match(sql):
            return [f"{found['verb']} {found['name']}{self._everywhere}{found['rest']}"]
        if found := _RELOAD.fullmatch(sql):
            return [f"SYSTEM RELOAD DICTIONARY{self._everywhere} {found['name']}"]
        return [sql]

    @property
    def _everywhere(self) -> str:
        return f" ON CLUSTER '{self.name}'" if self.replicated else ""

    def _create(self, sql: str, found: re.Match[str], database: str) -> list[str]:
        table, given = found["table"], (found["given"] or "()")[1:-1].strip()
        engine = sql[found.end("columns") : found.end()]
        if self.replicated:
            rest = f", {given}" if given else ""
            engine = _REPLICATED.format(kind=found["kind"], database=database, table=table, rest=rest)
        local = (
            f"CREATE TABLE IF NOT EXISTS {table}{LOCAL}{self._everywhere}{found['columns']}{engine}{sql[found.end() :]}"
        )
        over_all = (
            f"CREATE TABLE IF NOT EXISTS {table}{self._everywhere} AS {table}{LOCAL} "
            f"ENGINE = Distributed('{self.name}', '{database}', '{table}{LOCAL}', {SHARDED_BY[table]})"
        )
        return [local, over_all]
