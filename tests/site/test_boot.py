"""A new database gets today's tables at once; walking through every migration must come to the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.db.migrations.loader import MigrationLoader

from whytree.site import boot
from whytree.site.boot import make_tables, migrate_database
from whytree.workspace.terminal.client import CommandError


@contextmanager
def empty_database(name: str, folder: Path) -> Iterator[Any]:
    """A database of its own beside the tests' one, of the same kind."""
    own = {**connection.settings_dict, "NAME": name if connection.vendor == "postgresql" else str(folder / name)}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
    connections.databases[name] = own
    try:
        yield connections[name]
    finally:
        connections[name].close()
        del connections[name]
        del connections.databases[name]
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"DROP DATABASE {name}")


def described(database: Any) -> dict[str, Any]:
    """Tables with their columns, constraints and indexes, without the order that these were added in."""
    tables = _as_sqlite_keeps_them(database) if database.vendor == "sqlite" else _introspected(database)
    # Django's migrations number this table of its own, which nothing here uses, otherwise than its models do.
    del tables["auth_group_permissions"]
    return tables


def _introspected(database: Any) -> dict[str, Any]:
    look = database.introspection
    with database.cursor() as cursor:
        return {
            table: (
                sorted(tuple(column) for column in look.get_table_description(cursor, table)),
                sorted((name, str(rule)) for name, rule in look.get_constraints(cursor, table).items()),
            )
            for table in look.table_names(cursor)
        }


def _as_sqlite_keeps_them(database: Any) -> dict[str, Any]:
    """By the statements themselves: Django parses each several times to introspect it, which took a third of the test."""
    with database.cursor() as cursor:
        cursor.execute("SELECT tbl_name, type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        tables: dict[str, set[str]] = {}
        for table, kind, name, sql in cursor.fetchall():
            told = _clauses(sql[sql.index("(") + 1 : sql.rindex(")")]) if kind == "table" else {f"{name}: {sql}"}
            tables.setdefault(table, set()).update(told)
    return dict(tables)


def _clauses(inside: str) -> set[str]:
    """What commas part, but for those in brackets."""
    depth, found = 0, [""]
    for letter in inside:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    return {" ".join(one.split()) for one in found}


def applied(database: Any) -> set[tuple[str, str]]:
    with database.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return set(cursor.fetchall())


@pytest.mark.slow
@pytest.mark.relational
def test_tables_made_at_once_are_those_of_all_migrations(
    django_db_setup: None, django_db_blocker: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MIGRATION_MODULES = {}  # the tests' own database is made without
    with (
        django_db_blocker.unblock(),
        empty_database("at_once", tmp_path) as at_once,
        empty_database("migrated", tmp_path) as migrated,
    ):
        make_tables(at_once)
        call_command("migrate", database="migrated", interactive=False, verbosity=0)
        assert described(at_once) == described(migrated)
        assert applied(at_once) == applied(migrated)
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_a_database_that_a_newer_version_opened_is_left_alone(settings: Any) -> None:
    settings.MIGRATION_MODULES = {}  # the tests' own database is made without
    loader = MigrationLoader(None)
    loader.applied_migrations = dict(loader.disk_migrations)
    boot._refuse_newer(loader)
    loader.applied_migrations[("workspace", "9999_of_tomorrow")] = next(iter(loader.disk_migrations.values()))
    with pytest.raises(CommandError, match=r"by a newer Whytree \(workspace 9999_of_tomorrow\)\. Update this one"):
        boot._refuse_newer(loader)


def test_a_damaged_database_is_a_sentence_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(_: Any) -> None:
        raise DatabaseError("file is not a database")

    monkeypatch.setattr(boot, "_one_at_a_time", damaged)
    with pytest.raises(CommandError, match="whytree restore FILE"):
        migrate_database()
