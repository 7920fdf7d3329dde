"""Decision records and CODEOWNERS, as people write them."""

from whytree.engines.code.decision_records import DecisionRecord, is_decision_path, parse_decision
from whytree.engines.code.owners import parse_owners

ADR_TOOLS = """# 1. Record architecture decisions

Date: 2016-02-12

## Status

Accepted

## Context
"""
MADR = """---
status: "superseded by ADR-0123"
date: 2024-05-01
---
# Use SQLite by default

## Context and Problem Statement
"""


def test_adr_tools_and_madr_are_understood() -> None:
    assert parse_decision("doc/adr/0001-x.md", ADR_TOOLS) == DecisionRecord(
        "doc/adr/0001-x.md", "Record architecture decisions", "accepted", "2016-02-12"
    )
    assert parse_decision("docs/decisions/0002.md", MADR) == DecisionRecord(
        "docs/decisions/0002.md", "Use SQLite by default", "superseded", "2024-05-01"
    )


def test_a_file_without_a_title_is_no_record() -> None:
    assert parse_decision("docs/adr/x.md", "") is None
    assert parse_decision("docs/adr/x.md", "just words") is None


def test_records_are_looked_for_where_people_keep_them() -> None:
    kept = ["docs/adr/0001-a.md", "doc/architecture/decisions/0001-a.md", "docs/decisions/a.md", "adr/1.md"]
    assert all(map(is_decision_path, kept))
    assert not any(map(is_decision_path, ["docs/adr/README.md", "docs/adr/template.md", "adr.md", "docs/quadr/a.md"]))


def test_codeowners_are_read_line_by_line() -> None:
    text = "# all\n*  @acme/core  # comment\n[Section]\n/app/  ana@example.org @bob\nnoowner\n"
    assert list(parse_owners(text)) == [("*", ["@acme/core"]), ("/app/", ["ana@example.org", "@bob"])]
