"""The cast and the doors. Alice owns Sprout, Bob is a member, Charlie must see nothing.

Real parts everywhere: a real database, the real event engine in one folder per run, real servers for real clients.
"""

import gc
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.testing
from hypothesis import HealthCheck, settings
from typer.main import get_command

from tests.needed import missing
from tests.servers import ROOT, Live, live_env, start_server, whytree
from tests.terminal import Terminal

pytest_plugins = ("tests.statements",)

# Modules and tests stay to the end: looking for garbage among them took a quarter of the time of reading them.
gc.disable()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    collected = yield
    gc.freeze()
    gc.enable()
    return collected


# No timed test: a busy machine is no failure. With CI=true the same examples each time; elsewhere new ones are looked for.
settings.register_profile(
    "whytree",
    deadline=None,
    derandomize=os.environ.get("CI") == "true",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("whytree")

# What a test asks for says what it goes through.
ENGINE = {"store", "events", "address", "live", "start"}
DOORS = {
    *("as_alice", "as_bob", "as_viewer", "as_charlie"),
    *("api", "api_bob", "api_viewer", "api_charlie"),
    *("client", "cli", "invoke", "terminal"),
}

_commands: dict[int, tuple[object, Any]] = {}


def _command_once(application: typer.Typer) -> Any:
    """Its tree of commands, built again only when it got more: that takes a tenth of a second."""
    built = _commands.get(id(application))
    if built is None or built[0] != _size(application):
        built = _commands[id(application)] = (_size(application), get_command(application))
    return built[1]


def _size(application: typer.Typer) -> object:
    groups = [_size(group.typer_instance) for group in application.registered_groups if group.typer_instance]
    return application, len(application.registered_commands), groups


typer.testing._get_command = _command_once


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens the event engine and what comes in by a door, so that `make quick` can do without."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if ENGINE & fixtures:
            item.add_marker("engine")
        if DOORS & fixtures:
            item.add_marker("door")
    # A worker takes files one by one: the long ones first, so that none is left alone with one at the end.
    long = {item.path for item in items if any(item.get_closest_marker(name) for name in ("live", "browser", "slow"))}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(autouse=True)
def _fresh_caches() -> None:
    """What a process remembers between requests must not leak from test to test."""
    from django.core.cache import caches

    from whytree.events import arrivals
    from whytree.events.intake import rules
    from whytree.flags.evaluation import asking, live
    from whytree.voice.surveys import showing
    from whytree.workspace.entry import keys

    arrivals.forget()
    keys.forget_cached()
    live.forget()
    rules.forget()
    asking.forget()
    showing.forget()
    for cache in caches.all():
        cache.clear()


@pytest.fixture(scope="session", autouse=True)
def _let_the_engine_go() -> Iterator[None]:
    """The last test's process leaves nothing open: neither the engine nor the lock of its folder."""
    yield
    opened = sys.modules.get("whytree.stores.events")
    if opened is not None:
        opened.close()


@pytest.fixture
def alice(db: None) -> Any:
    from whytree.workspace.models import User

    return User.objects.create_user("alice@example.org", "correct horse battery", "Alice")


@pytest.fixture
def bob(product: Any) -> Any:
    from whytree.workspace.models import Membership, User

    user = User.objects.create_user("bob@example.org", "correct horse battery", "Bob")
    Membership.objects.create(user=user, product=product, role="member", discipline="design")
    return user


@pytest.fixture
def viewer(product: Any) -> Any:
    """Vera only reads."""
    from whytree.workspace.models import Membership, User

    user = User.objects.create_user("vera@example.org", "correct horse battery", "Vera")
    Membership.objects.create(user=user, product=product, role="viewer", discipline="sales")
    return user


@pytest.fixture
def charlie(db: None) -> Any:
    from whytree.workspace.models import User

    return User.objects.create_user("charlie@example.org", "correct horse battery", "Charlie")


@pytest.fixture
def actor(alice: Any) -> Any:
    from whytree.workspace.entry.keys import actor_of_user

    return actor_of_user(alice)


@pytest.fixture
def product(actor: Any) -> Any:
    from whytree.workspace.services import create_product

    return create_product(actor, name="Sprout")


@pytest.fixture
def other_product(charlie: Any) -> Any:
    """Charlie's; nobody else's."""
    from whytree.workspace.entry.keys import actor_of_user
    from whytree.workspace.services import create_product

    return create_product(actor_of_user(charlie), name="Elsewhere")


def _signed_in(user: Any) -> Any:
    from django.test import Client

    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def as_alice(alice: Any, product: Any) -> Any:
    return _signed_in(alice)


@pytest.fixture
def as_bob(bob: Any) -> Any:
    return _signed_in(bob)


@pytest.fixture
def as_viewer(viewer: Any) -> Any:
    return _signed_in(viewer)


@pytest.fixture
def as_charlie(charlie: Any, other_product: Any) -> Any:
    return _signed_in(charlie)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any

    @property
    def ok(self) -> Any:
        """The body of an answer that must have succeeded."""
        self.must_succeed()
        return self.body

    def must_succeed(self) -> None:
        assert self.status < 300, self.body


class Api:
    """The REST API as one user's token sees it."""

    def __init__(self, user: Any) -> None:
        from django.test import Client

        from whytree.workspace.entry import keys

        self._client = Client()
        _, self.token = keys.create_token(keys.actor_of_user(user), name="test", scopes=[])

    def _call(self, method: str, path: str, body: Any = None) -> Answer:
        return self._send(method, path, "" if body is None else json.dumps(body))

    def _send(self, method: str, path: str, data: str) -> Answer:
        response = self._client.generic(
            method,
            "/api" + path,
            data,
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}"},
        )
        kind = response.headers.get("Content-Type", "")
        return Answer(
            response.status_code,
            json.loads(response.content) if response.content and "json" in kind else response.content,
        )

    def get(self, path: str) -> Answer:
        return self._call("GET", path)

    def post(self, path: str, body: Any = None) -> Answer:
        return self._call("POST", path, {} if body is None else body)

    def post_text(self, path: str, text: str) -> Answer:
        """A body as it stands, for what no Python value comes to."""
        return self._send("POST", path, text)

    def put(self, path: str, body: Any) -> Answer:
        return self._call("PUT", path, body)

    def patch(self, path: str, body: Any) -> Answer:
        return self._call("PATCH", path, body)

    def delete(self, path: str) -> Answer:
        return self._call("DELETE", path)


@pytest.fixture
def api(alice: Any, product: Any) -> Api:
    return Api(alice)


@pytest.fixture
def api_bob(bob: Any) -> Api:
    return Api(bob)


@pytest.fixture
def api_viewer(viewer: Any) -> Api:
    return Api(viewer)


@pytest.fixture
def api_charlie(charlie: Any) -> Api:
    return Api(charlie)


@pytest.fixture
def open_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """For requests and jobs answered in this process: their end must not close the connection that the test's transaction
    is on. (Taking the handler off the signals does not last: Django's test client puts it back after each request.)
    """
    from django.db.backends.base.base import BaseDatabaseWrapper

    monkeypatch.setattr(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", lambda self: None)


@pytest.fixture
def terminal(api: Api, open_connection: None, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The command line as Alice types it."""
    return Terminal(api.token, monkeypatch)


@pytest.fixture
def capture_key(actor: Any, product: Any) -> str:
    from whytree.workspace.entry.keys import create_key

    return create_key(actor, product, kind="capture", name="web")[1]


@pytest.fixture
def server_key(actor: Any, product: Any) -> str:
    from whytree.workspace.entry.keys import create_key

    return create_key(actor, product, kind="server", name="backend")[1]


@pytest.fixture
def shared_data() -> Path:
    """Real files nobody here wrote; beside the checkout, or where WHYTREE_TEST_DATA says."""
    folder = Path(os.environ.get("WHYTREE_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        missing(f"no folder {folder}: set WHYTREE_TEST_DATA to the folder with the shared test files")
    return folder


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Start servers that are stopped when the test ends: `start()` or `start(folder, {"WHYTREE_...": ...})`."""
    started: list[Live] = []

    def run(data: Path | None = None, extra: dict[str, str] | None = None) -> Live:
        live = start_server(data or tmp_path / "live", extra)
        started.append(live)
        return live

    yield run
    for live in started:
        if live.process.poll() is None:
            live.process.kill()
            live.process.wait(10)
        if live.process.stdout:
            live.process.stdout.close()


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """`begun(folder)`: a data folder in which Alice owns Sprout. Made once and copied: making it loads the whole product."""
    made = tmp_path_factory.mktemp("begun") / "data"
    whytree(live_env(made), "owner", "alice@example.org", "--name", "Alice", "--product-name", "Sprout")

    def copy(folder: Path) -> Path:
        return shutil.copytree(made, folder, dirs_exist_ok=True)

    return copy


@pytest.fixture(scope="session")
def _live_server(begun: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    live = start_server(begun(tmp_path_factory.mktemp("live")))
    yield live
    live.stop()
    if live.process.stdout:
        live.process.stdout.close()


@pytest.fixture
def live(_live_server: Live) -> Live:
    """A server shared by the run, owned by Alice, with the product sprout."""
    return _live_server


_DICTIONARY = "person_overrides_now"


class EventDatabase:
    """One database for all tests of a process, emptied for each: making one takes a second, emptying it a tenth."""

    def __init__(self) -> None:
        self._made: Any = None
        self._as_made: dict[str, int] = {}

    def emptied(self) -> Any:
        """The database as a store of its own, without a row; a new one where a test left tables otherwise than they were."""
        from whytree.stores import events

        rows = self._rows() if self._made is not None else {}
        if not rows or rows.keys() != self._as_made.keys() or rows["migrations"] != self._as_made["migrations"]:
            self.drop()
            self._made = events.new_database()
            rows = self._as_made = self._rows()
        written = [name for name, count in rows.items() if count and name not in {"migrations", _DICTIONARY}]
        for name in written:
            self._made.execute(f"TRUNCATE TABLE {name} SYNC")
        if "person_overrides" in written:
            self._made.execute(f"SYSTEM RELOAD DICTIONARY {_DICTIONARY}")
        return events.EventStore(self._made.engine, self._made.database)

    def _rows(self) -> dict[str, int]:
        told = self._made.query(
            "SELECT name, ifNull(total_rows, 0) AS rows FROM system.tables WHERE database = currentDatabase()"
        )
        return {row["name"]: row["rows"] for row in told}

    def drop(self) -> None:
        if self._made is not None:
            self._made.execute(f"DROP DATABASE IF EXISTS {self._made.database} SYNC")
            self._made.close()
            self._made = None


@pytest.fixture(scope="session")
def _event_database() -> Iterator[EventDatabase]:
    shared = EventDatabase()
    yield shared
    shared.drop()


@pytest.fixture
def store(_event_database: EventDatabase) -> Iterator[Any]:
    """The event store, empty."""
    from django.conf import settings

    from whytree.events.durable.commit import close_commit
    from whytree.stores import events

    fresh = _event_database.emptied()
    with events.in_force(fresh):
        yield fresh
    close_commit()  # what is still on its way must not arrive in the next test
    fresh.close()
    shutil.rmtree(settings.WHYTREE.data / "spool" / fresh.database, ignore_errors=True)


@pytest.fixture(scope="module")
def events() -> Iterator[Any]:
    """The event store with a database that the tests of a file share; each writes for a product of its own."""
    from whytree.stores import events

    with events.temporary_database() as fresh:
        yield fresh
