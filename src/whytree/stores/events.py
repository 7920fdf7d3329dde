"""The event store, one per process, opened on first use.

    from whytree.stores.events import store

    store().query("SELECT count() AS n FROM events WHERE product = {product:UInt32}", {"product": 3})
    store().insert("quarantine", [{"product": 3, ...}])

Values are bound by ClickHouse itself as `{name:Type}`; write `DateTime64(3, 'UTC')` in full, the embedded engine cannot
return a type without its zone. Times come back aware, in UTC. Table names need no database.
An insert returns when its rows are on disk (`fsync_after_insert`), whole or not at all up to a million rows.
"""

import contextlib
import errno
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from whytree.errors import Invalid

from .engine.connection import Clients, Embedded, Engine, engine_for
from .errors import StoreRefused, StoreUnavailable

Row = dict[str, Any]
Parameters = Mapping[str, Any]

RETRY_SECONDS = 5
RETRY_SECONDS_FULL = 30

# ClickHouse's codes for "not now": everything else about an insert is taken for a fault of its rows.
_FULL = {243}
_MEMORY = {173, 241}
_TOO_LONG = {159, 160}
_REGEX = {427}
_NOT_NOW = {
    *(60, 81, 497, 516),  # table or database gone, access denied
    *(74, 75, 76),  # files that cannot be read, written, opened
    *(159, 164, 198, 202, 209, 210, 236, 242, 252, 279, 285, 286, 319, 394, 425, 999),  # time-outs, network, keeper
}


def nothing_is_owed() -> None:
    """What there is to do before reading while no writer has the store."""


_moment = threading.local()


@contextlib.contextmanager
def at_one_moment() -> Iterator[None]:
    """Let several readings of this thread wait together: with the first, for all that was acknowledged by then.

    Waiting makes whoever writes insert what it has so far, and many small inserts cost far more than a few large ones.
    """
    before, _moment.waited = getattr(_moment, "waited", None), False
    try:
        yield
    finally:
        _moment.waited = before


class EventStore:
    """One database of the engine. Thread-safe: every thread has a client of its own."""

    def __init__(self, engine: Engine, database: str) -> None:
        self.engine = engine
        self.database = database
        self._clients = Clients(engine, database)
        self._closed = False
        # Called before anything is read or changed here: a writer may owe rows that it has acknowledged.
        self.before_reading: Callable[[], None] = nothing_is_owed

    def _wait(self) -> None:
        waited = getattr(_moment, "waited", None)
        if not waited:
            self.before_reading()
        if waited is not None:
            _moment.waited = True

    def query(
        self, sql: str, parameters: Parameters | None = None, settings: Mapping[str, Any] | None = None
    ) -> list[Row]:
        """The rows of a SELECT, each a dict by column name."""
        self._wait()
        with self._errors_told():
            result = self._client().query(sql, parameters=dict(parameters or {}), settings=_texts(settings))
            return list(result.named_results())

    def value(self, sql: str, parameters: Parameters | None = None, settings: Mapping[str, Any] | None = None) -> Any:
        """The first column of the only row; None when there is none."""
        rows = self.query(sql, parameters, settings)
        return next(iter(rows[0].values())) if rows else None

    def lines(
        self, sql: str, parameters: Parameters | None = None, settings: Mapping[str, Any] | None = None
    ) -> list[bytes]:
        """The rows of a SELECT as the engine's own lines of JSON."""
        self._wait()
        with self._errors_told():
            body: bytes = self._client().raw_query(
                sql, parameters=dict(parameters or {}), settings=_texts(settings), fmt="JSONEachRow"
            )
            return body.splitlines()

    def execute(
        self, sql: str, parameters: Parameters | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        """Run a statement that gives no rows."""
        self.before_reading()
        if "_part_offset" in sql:
            self._refuse_several_shards()
        with self._errors_told():
            for one in self.engine.statements(sql, self.database):
                self._client().command(one, parameters=dict(parameters or {}), settings=_texts(settings))

    def _refuse_several_shards(self) -> None:
        """A row's place in a part means another row on another shard."""
        cluster = getattr(self.engine, "cluster", None)
        if cluster is None:
            return
        found = "SELECT max(shard_num) FROM system.clusters WHERE cluster = {name:String}"
        if (self.value(found, {"name": cluster.name}) or 1) > 1:
            raise StoreUnavailable(
                "Repetitions are not swept on several shards: what came twice long apart stays. Sweep each shard by itself."
            )

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows given as dicts; columns left out take their default. Durable when it returns."""
        if rows:
            lines = b"\n".join(_encoder.encode(row) for row in rows)
            self.insert_block(table, lines, {"date_time_input_format": "best_effort"})

    def insert_block(self, table: str, lines: bytes, settings: Mapping[str, Any] | None = None) -> None:
        """Write rows given as lines of JSON. Raises `StoreUnavailable`, or `StoreRefused` for rows that cannot be taken."""
        try:
            with self._errors_told():
                self.engine.insert_lines(self._client(), table, lines, _texts(settings))
        except ClickHouseError as error:
            raise StoreRefused(_first_line(error)) from error

    def close(self) -> None:
        self._closed = True
        self._clients.close()

    def _client(self) -> Any:
        if self._closed:
            raise StoreUnavailable("The event store is closed: this process is stopping. Try again in a moment.")
        return self._clients.mine()

    @contextlib.contextmanager
    def _errors_told(self) -> Iterator[None]:
        try:
            yield
        except (ClickHouseError, OSError) as error:
            if isinstance(error, OperationalError):
                self._clients.drop_mine()
            told = as_unavailable(error, self.engine.name)
            if told is None and getattr(error, "code", None) in _REGEX:
                raise Invalid(
                    "This is no regular expression that the store understands (RE2: no look-around, no huge repetitions). "
                    "Write it as ^guitar|piano$."
                ) from error
            if told is None:
                raise
            raise told from error


def as_unavailable(error: Exception, where: str) -> StoreUnavailable | None:
    """The error as a sentence when it says "not now"; None when it speaks of the statement itself."""
    code = getattr(error, "code", None)
    full = code in _FULL or "No space left on device" in str(error) or getattr(error, "errno", None) == errno.ENOSPC
    if full:
        return StoreUnavailable(
            f"{where} cannot write: the disk is full. Free some space; what waits is written by itself then.",
            retry_after=RETRY_SECONDS_FULL,
        )
    if code in _TOO_LONG:
        return StoreUnavailable(
            "This took longer than a question may, and was stopped. Ask for a shorter period, fewer steps, or a narrower filter.",
            retry_after=RETRY_SECONDS,
        )
    if code in _MEMORY:
        return StoreUnavailable(
            "The event store needs more memory for this than it may use. Ask for a shorter period, or raise "
            "WHYTREE_EVENTS_MEMORY_MB.",
            retry_after=RETRY_SECONDS,
        )
    if code in _NOT_NOW or isinstance(error, OSError | OperationalError):
        return StoreUnavailable(f"{where} does not answer now: {_first_line(error)}", retry_after=RETRY_SECONDS)
    return None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def _texts(settings: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (settings or {}).items()}


def _as_text(value: Any) -> Any:
    """What JSON has no form for; `insert` is given times by people and by other stores."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


_encoder = msgspec.json.Encoder(enc_hook=_as_text)

_guard = threading.RLock()
_engine: Engine | None = None
_current: EventStore | None = None


def store() -> EventStore:
    """The event store of this process, opened and migrated on first use.

    Raises `StoreLocked` while another process holds the folder of the embedded engine.
    """
    if _current is None:
        _open()
    assert _current is not None  # noqa: S101 - for the type checker: `_open` set it or raised
    return _current


def close() -> None:
    """Let the engine go; the next `store()` opens it again."""
    global _current, _engine
    with _guard:
        if _current is not None:
            _current.close()
        if _engine is not None:
            _engine.release()
        _current = _engine = None


@contextlib.contextmanager
def temporary_database() -> Iterator[EventStore]:
    """An empty database in the same engine, in force until the block ends; for tests and benchmarks."""
    fresh = new_database()
    try:
        with in_force(fresh):
            yield fresh
    finally:
        fresh.execute(f"DROP DATABASE IF EXISTS {fresh.database} SYNC")
        fresh.close()


def new_database() -> EventStore:
    """An empty database in the same engine, under a name of its own."""
    return open_database(_open_engine(), f"whytree_{secrets.token_hex(6)}")


@contextlib.contextmanager
def in_force(other: EventStore) -> Iterator[None]:
    """`store()` is this one until the block ends."""
    global _current
    with _guard:
        before, _current = _current, other
    try:
        yield
    finally:
        with _guard:
            _current = before


def open_database(engine: Engine, name: str) -> EventStore:
    """The database called `name`, made and migrated when needed."""
    from .engine.schema import create_database, migrate

    try:
        create_database(engine, name)
    except (ClickHouseError, OSError) as error:
        raise _cannot_open(engine, error) from error
    opened = EventStore(engine, name)
    migrate(opened)
    return opened


def _open() -> None:
    global _current
    with _guard:
        if _current is None:
            engine = _open_engine()
            _current = open_database(engine, engine.default_database)


def _open_engine() -> Engine:
    global _engine
    from django.conf import settings

    with _guard:
        if _engine is None:
            engine = engine_for(settings.WHYTREE.events_url, settings.WHYTREE.events_memory_mb)
            try:
                engine.open()
                engine.client(None).close()
            except (ClickHouseError, OSError) as error:
                engine.release()
                raise _cannot_open(engine, error) from error
            _engine = engine
        return _engine


def _lost_its_links(engine: Embedded) -> bool:
    """The engine keeps each database's folder elsewhere, and a link to it here."""
    return any(one.is_dir() and not one.is_symlink() for one in (engine.folder / "metadata").glob("*"))


def _cannot_open(engine: Engine, error: Exception) -> StoreUnavailable:
    told = as_unavailable(error, engine.name)
    if told is not None and not isinstance(error, OSError):
        return told
    if isinstance(engine, Embedded) and _lost_its_links(engine):
        return StoreUnavailable(
            f"{engine.folder} was copied without its symbolic links, so the event engine cannot open it. "
            "Copy it again with them (cp -a, rsync -a), or bring in a backup: whytree restore FILE.tar.gz"
        )
    if isinstance(engine, Embedded):
        return StoreUnavailable(
            f"The event engine cannot open {engine.folder}: {_first_line(error)}. "
            "Check that the folder can be written and the disk is not full."
        )
    return StoreUnavailable(f"{engine.name} cannot be used: {_first_line(error)}. Check WHYTREE_EVENTS_URL.")


__all__ = ["EventStore", "Row", "close", "open_database", "store", "temporary_database"]
