"""Where the engine is and how to reach it: the only file that tells chDB from a ClickHouse server.

Both are spoken to through `clickhouse_connect`, with one client per thread. The in-process engine takes 90 % of the
machine's memory unless told otherwise, opens many files, and may be opened by one process only: `Embedded` sees to that.
"""

import os
import resource
import threading
import weakref
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape

import clickhouse_connect

from .cluster import SETTINGS as CLUSTERED
from .cluster import Cluster
from .lock import FolderLock

Client = Any  # clickhouse_connect's client; the package ships no usable types

MEGABYTE = 1024 * 1024
CONNECT_SECONDS = 5
ANSWER_SECONDS = 120

# Capture groups its rows itself and answers after the write: the engine must not group them a second time, later.
SETTINGS = {"async_insert": "0"}


class Engine(Protocol):
    """Something that opens clients."""

    name: str
    default_database: str

    def open(self) -> None:
        """Make ready to open clients; may raise `StoreLocked`."""

    def client(self, database: str | None) -> Client:
        """A new client; with a database it must exist."""

    def statements(self, sql: str, database: str) -> list[str]:
        """What to run for a statement that gives no rows."""

    def insert_lines(self, client: Client, table: str, lines: bytes, settings: dict[str, str]) -> None:
        """Write rows given as lines of JSON."""

    def release(self) -> None:
        """Let go of what `open` took."""


class Embedded:
    """chDB in this process, on a folder."""

    def __init__(self, folder: Path, memory_mb: int) -> None:
        self.name = f"chDB in {folder}"
        self.default_database = "whytree"
        self.folder = folder
        self.memory = memory_mb * MEGABYTE
        self._lock = FolderLock(folder)
        self._own = threading.local()

    @property
    def backup_folder(self) -> Path:
        """The only place that BACKUP may write to."""
        return self.folder.with_name(self.folder.name + ".backups")

    def open(self) -> None:
        self._lock.acquire()
        _raise_file_limit()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._config_path.write_text(self._config(), encoding="utf-8")

    def client(self, database: str | None) -> Client:
        return clickhouse_connect.get_client(
            interface="chdb",
            path=str(self.folder),
            database=database,
            chdb_options={"config-file": str(self._config_path)},
            settings=SETTINGS | self._limits(),
            tz_mode="aware",
        )

    def statements(self, sql: str, database: str) -> list[str]:
        return [sql]

    def insert_lines(self, client: Client, table: str, lines: bytes, settings: dict[str, str]) -> None:
        """The library would go through a file in /tmp, which may be on another and fuller disk, and takes four system
        calls more, after each of which a busy thread has to wait for its turn again. So we go through memory.
        """
        if not hasattr(os, "memfd_create"):
            client.raw_insert(table, insert_block=lines, fmt="JSONEachRow", settings=settings)
            return
        memory = self._memory()
        os.ftruncate(memory, 0)
        os.pwrite(memory, lines, 0)
        clause = ", ".join(f"{name} = '{value}'" for name, value in (SETTINGS | settings).items())
        client.command(f"INSERT INTO {table} FROM INFILE '/proc/self/fd/{memory}' SETTINGS {clause} FORMAT JSONEachRow")

    def _memory(self) -> int:
        """Descriptor of this thread's file that exists in memory only."""
        if not hasattr(self._own, "memory"):
            self._own.memory = _MemoryFile()
        number: int = self._own.memory.number
        return number

    def release(self) -> None:
        self._lock.release()

    @property
    def _config_path(self) -> Path:
        return self.folder.with_name(self.folder.name + ".xml")

    def _limits(self) -> dict[str, str]:
        """One query may take most of the memory, and goes to disk before that when it groups or sorts."""
        return {
            "max_memory_usage": str(self.memory * 3 // 4),
            "max_bytes_before_external_group_by": str(self.memory // 3),
            "max_bytes_before_external_sort": str(self.memory // 3),
        }

    def _config(self) -> str:
        cache = min(128 * MEGABYTE, self.memory // 8)
        return f"""<clickhouse>
  <max_server_memory_usage>{self.memory}</max_server_memory_usage>
  <mark_cache_size>{cache}</mark_cache_size>
  <index_mark_cache_size>{cache // 4}</index_mark_cache_size>
  <primary_index_cache_size>{cache}</primary_index_cache_size>
  <index_uncompressed_cache_size>0</index_uncompressed_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <query_condition_cache_size>{cache // 4}</query_condition_cache_size>
  <compiled_expression_cache_size>{cache // 4}</compiled_expression_cache_size>
  <backups>
    <allowed_disk>default</allowed_disk>
    <allowed_path>{escape(str(self.backup_folder))}/</allowed_path>
  </backups>
</clickhouse>
"""


class Remote:
    """A ClickHouse server: `clickhouse://user:password@host:port/database`, `clickhouses://` for TLS.

    `?cluster=NAME` makes the tables on all nodes of a cluster; `&replicated=false` on this one alone, unreplicated.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.name = f"ClickHouse at {parts.hostname}"
        self.default_database = parts.path.strip("/") or "whytree"
        said = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.cluster = Cluster(said["cluster"], said.get("replicated") != "false") if "cluster" in said else None
        rest = urlencode({name: text for name, text in said.items() if name not in ("cluster", "replicated")})
        self._url = parts._replace(path="", query=rest).geturl()
        self._secure = parts.scheme == "clickhouses" or said.get("secure") == "true"
        self._settings = SETTINGS | (CLUSTERED if self.cluster else {})

    def open(self) -> None:
        """A server needs nothing before its first client."""

    def client(self, database: str | None) -> Client:
        return clickhouse_connect.get_client(
            dsn=self._url,
            database=database or "default",
            secure=self._secure,
            connect_timeout=CONNECT_SECONDS,
            send_receive_timeout=ANSWER_SECONDS,
            autogenerate_session_id=False,  # a session allows one query at a time; one that hung would block the thread
            form_encode_query_params=True,  # long lists of ids do not fit into an address
            settings=self._settings,
            tz_mode="aware",
        )

    def insert_lines(self, client: Client, table: str, lines: bytes, settings: dict[str, str]) -> None:
        client.raw_insert(table, insert_block=lines, fmt="JSONEachRow", settings=settings)

    def statements(self, sql: str, database: str) -> list[str]:
        return self.cluster.statements(sql, database) if self.cluster else [sql]

    def release(self) -> None:
        """Nothing is held between clients."""


class _MemoryFile:
    """A file without a place on any disk; gone with its last reference."""

    def __init__(self) -> None:
        self.number = os.memfd_create("whytree-insert")

    def __del__(self) -> None:
        os.close(self.number)


def engine_for(url: str, memory_mb: int) -> Engine:
    """The engine that `WHYTREE_EVENTS_URL` names."""
    if url.startswith("chdb://"):
        return Embedded(Path(url.removeprefix("chdb://")), memory_mb)
    return Remote(url)


class Clients:
    """One client per thread on one database."""

    def __init__(self, engine: Engine, database: str) -> None:
        self._engine = engine
        self._database = database
        self._own = threading.local()
        self._all: weakref.WeakSet[Client] = weakref.WeakSet()

    def mine(self) -> Client:
        """This thread's client."""
        client = getattr(self._own, "client", None)
        if client is None:
            client = self._engine.client(self._database)
            self._own.client = client
            self._all.add(client)
        return client

    def drop_mine(self) -> None:
        """Forget this thread's client after it broke; the next call opens a new one."""
        client = getattr(self._own, "client", None)
        if client is not None:
            self._own.client = None
            client.close()

    def close(self) -> None:
        for client in list(self._all):
            client.close()
        self._own = threading.local()


def _raise_file_limit() -> None:
    """The engine keeps many files open; the usual limit of 1,024 is too low for it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
