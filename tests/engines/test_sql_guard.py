"""SQL that a person typed: what is written anew, and everything that is refused because it is on no list."""

import pytest

from whytree.engines.sql_guard import guarded
from whytree.errors import Invalid

TABLES = {"events": "SELECT event, person FROM events WHERE product = 3"}
OURS = "(SELECT event, person FROM events WHERE product = 3) AS events"


@pytest.mark.parametrize(
    ("typed", "sql"),
    [
        (
            "select event, count() as n from events group by event",
            f"SELECT event, count() AS n FROM {OURS} GROUP BY event",
        ),
        ("SELECT e.event FROM events AS e -- a comment", f"SELECT e.event FROM {OURS.removesuffix('events')}e"),
        ("SELECT 1 FROM events WHERE event = 'it''s'", f"SELECT 1 FROM {OURS} WHERE event = {{text0:String}}"),
        (
            "WITH a AS (SELECT person FROM events) SELECT count() FROM a WHERE a.person > 3",
            f"WITH part_of_the_question_a AS (SELECT person FROM {OURS}) "
            "SELECT count() FROM part_of_the_question_a AS a WHERE a.person > 3",
        ),
        (
            "SELECT dateTrunc('day', at), splitByChar('/', path) FROM events",
            f"SELECT dateTrunc('DAY', at), splitByString({{text0:String}}, path) FROM {OURS}",
        ),
        ("SELECT quantile(0.9)(person) FROM events;", f"SELECT quantile(0.9)(person) FROM {OURS}"),
    ],
)
def test_every_table_is_replaced_by_what_the_product_may_see(typed: str, sql: str) -> None:
    assert guarded(typed, TABLES).sql == sql


def test_texts_become_values_whatever_is_in_them() -> None:
    nasty = r"\' OR 1=1 -- {x:String} /* @ " + "🌱"
    escaped = nasty.replace("\\", "\\\\").replace("'", "''")
    found = guarded(f"SELECT 1 FROM events WHERE event IN ('{escaped}', 'b')", TABLES)
    assert set(found.values.values()) == {nasty, "b"}
    assert nasty not in found.sql


REFUSED = """
SELECT * FROM file('/etc/passwd')
SELECT file('/etc/passwd') FROM events
SELECT * FROM url('http://169.254.169.254/')
SELECT * FROM s3('http://x')
SELECT * FROM merge('.*')
SELECT * FROM remote('h', 'system.one')
SELECT * FROM executable('a', 'TSV', 'x String')
SELECT * FROM numbers(10)
SELECT * FROM view(SELECT * FROM system.tables)
SELECT dictGet('person_overrides_now', 'canonical', 1) FROM events
SELECT joinGet('a', 'b', 1) FROM events
SELECT event FROM events SETTINGS apply_deleted_mask = 0
SELECT event FROM events INTO OUTFILE '/tmp/x'
SELECT event FROM events FORMAT Native
SELECT * FROM system.tables
SELECT * FROM default.events
SELECT * FROM person_overrides
SELECT (SELECT count() FROM system.tables) FROM events
SELECT * FROM events, marks
SELECT * FROM events LEFT JOIN marks ON 1 = 1
SELECT event FROM events ARRAY JOIN flags
SELECT event FROM events WHERE person IN person_overrides
SELECT event FROM events WHERE person IN (person_overrides)
SELECT event FROM events WHERE person GLOBAL IN person_overrides
SELECT `in`(person, person_overrides) FROM events
SELECT "in"(1, system.one) FROM events
SELECT person, `IN`((person, event), marks) FROM events
SELECT CAST(event, 'AggregateFunction(sum, UInt64)') FROM events
WITH events AS (SELECT 1) SELECT * FROM events
WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT 1 FROM a) SELECT * FROM a
SELECT * FROM marks WHERE 1 IN (WITH marks AS (SELECT 1) SELECT * FROM marks)
SELECT * FROM events FINAL
SELECT * FROM events SAMPLE 0.1
SELECT event FROM events PREWHERE 1
SELECT `a' OR 1` FROM events
SELECT {x:String} FROM events
SELECT sleep(3) FROM events
SELECT hostName() FROM events
SELECT getSetting('x') FROM events
SELECT COLUMNS('.*') FROM events
SELECT repeat('x', 100000000) FROM events
SELECT arrayWithConstant(100000000, 1) FROM events
SELECT range(1000000000) FROM events
DROP TABLE events
INSERT INTO events SELECT * FROM events
ALTER TABLE events DELETE WHERE 1
SELECT 1; DROP TABLE events
SYSTEM RELOAD DICTIONARY x
EXPLAIN SELECT 1
SHOW TABLES
SELECT
SELECT 1 FROM events WHERE event = @@text0@@
""".strip().splitlines()  # fmt: skip


@pytest.mark.parametrize("typed", REFUSED)
def test_what_is_on_no_list_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        guarded(typed, TABLES)


def test_a_part_that_is_told_later_is_no_table_before() -> None:
    typed = "WITH a AS (SELECT * FROM marks), marks AS (SELECT 1) SELECT * FROM a"
    assert "FROM part_of_the_question_marks" in guarded(typed, TABLES).sql  # which is not there yet: the engine says so


@pytest.mark.parametrize(
    "typed", ["", " ", "SELECT " + "(" * 3_000 + "1" + ")" * 3_000, "SELECT 1" + ", 1" * 9_000, "x" * 30_000, "a\x00"]
)
def test_huge_deep_and_empty_ones_are_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(Invalid):
        guarded(typed, TABLES)
