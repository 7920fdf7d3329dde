"""A ClickHouse server of our own: its HTTP interface in small, with the real engine in another process."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVER = Path(__file__).with_name("clickhouse_over_http.py")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server listens."""
    folder = tmp_path_factory.mktemp("clickhouse")
    process = subprocess.Popen([sys.executable, str(SERVER), str(folder / "data")], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    port = process.stdout.readline().strip()
    yield f"clickhouse://default@127.0.0.1:{port}/whytree"
    process.kill()
    process.wait(10)
    process.stdout.close()


@pytest.fixture(params=["", "?cluster=one&replicated=false"], ids=["server", "cluster"])
def address(request: pytest.FixtureRequest, server: str) -> str:
    """The server as one of its own, and as a cluster of one shard."""
    return f"{server}{request.param}"
