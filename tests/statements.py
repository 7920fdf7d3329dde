"""What each test asks of the relational database, so that PostgreSQL need not be asked the same by a thousand tests.

`--statements-to FOLDER` writes down for each test the statements it sent; `--only-from FILE` runs only the tests named
there; `cover(FOLDER)` names tests that together send every statement twice, where two tests do.
"""

import heapq
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TIMES = 2  # once with the rows of one test could pass by chance
_LISTS = re.compile(
    r"\((?:%s|NULL|DEFAULT)(?:, (?:%s|NULL|DEFAULT))*\)(?:, \((?:%s|NULL|DEFAULT)(?:, (?:%s|NULL|DEFAULT))*\))*"
)
_NUMBERED = re.compile(r"s\d+_x\d+|(?<=LIMIT )\d+|(?<=OFFSET )\d+")
_INTEGER = 2**31


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--statements-to", type=Path, help="write down which statements each test sends")
    parser.addoption("--only-from", type=Path, help="run only the tests that this file names, one a line")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("statements_to"):
        config.pluginmanager.register(Recorder(config.getoption("statements_to")), "statements")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if named := config.getoption("only_from"):
        wanted = set(named.read_text("utf-8").splitlines())
        left_out = [item for item in items if item.nodeid not in wanted]
        items[:] = [item for item in items if item.nodeid in wanted]
        config.hook.pytest_deselected(items=left_out)


class Recorder:
    """Listens at the connections of this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sent: set[str] = set()
        self._shapes: dict[str, str] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        from django.db import connections
        from django.db.backends.signals import connection_created

        connection_created.connect(self._listen)
        for connection in connections.all(initialized_only=True):
            self._listen(connection=connection)
        self._sent.clear()
        began = time.process_time()
        told = yield
        if item.get_closest_marker("relational"):
            self._sent.add(item.nodeid)  # nobody else sends that
        elif item.get_closest_marker("live") or item.get_closest_marker("browser"):
            self._sent.clear()  # a server of its own, which has SQLite
        if self._sent:
            row = [item.nodeid, round(time.process_time() - began, 3), sorted(self._sent)]
            with (self._folder / str(os.getpid())).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        return told

    def _listen(self, *, connection: Any, **_: Any) -> None:
        if self._hear not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._hear)

    def _hear(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        shape = self._shape(str(sql)) + _traits(params)
        self._sent.add(shape)
        try:
            return execute(sql, params, many, context)
        except Exception as error:  # what PostgreSQL refuses ends its transaction
            self._sent.add(f"{shape} {type(error).__name__}")
            raise

    def _shape(self, sql: str) -> str:
        """The statement without what only counts: how long its lists are, how savepoints are called."""
        if sql not in self._shapes:
            self._shapes[sql] = _NUMBERED.sub("n", _LISTS.sub("(…)", sql))
        return self._shapes[sql]


def _traits(params: Any) -> str:
    """What PostgreSQL may refuse in a value that SQLite takes."""
    values = params.values() if isinstance(params, dict) else params or ()
    found = set()
    for value in values:
        if isinstance(value, str) and ("\0" in value or "\\u0000" in value):
            found.add("NUL")
        elif isinstance(value, int) and not -_INTEGER <= value < _INTEGER:
            found.add("big")
    return "".join(f" {name}" for name in sorted(found))


def cover(folder: Path) -> tuple[list[str], int]:
    """Tests that together send all that was sent, `TIMES` times where as many did: cheap ones first; and of how many."""
    tests = [json.loads(line) for file in sorted(folder.iterdir()) for line in file.read_text("utf-8").splitlines()]
    wanted = {
        shape: min(times, TIMES) for shape, times in Counter(shape for test in tests for shape in test[2]).items()
    }

    def worth(number: int) -> float:
        _, seconds, shapes = tests[number]
        return sum(wanted[shape] > 0 for shape in shapes) / (0.05 + seconds)

    queue = [(-worth(number), number) for number in range(len(tests))]
    heapq.heapify(queue)
    chosen = []
    while queue:
        before, number = heapq.heappop(queue)
        now = -worth(number)
        if now == 0:
            continue
        if queue and now > queue[0][0] and now != before:  # others are worth more by now
            heapq.heappush(queue, (now, number))
            continue
        chosen.append(str(tests[number][0]))
        for shape in tests[number][2]:
            wanted[shape] -= 1
    return chosen, len(tests)
