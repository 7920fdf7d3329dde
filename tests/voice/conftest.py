"""Voices, an opportunity to link them to, and the command line in this process."""

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from tests.terminal import Terminal


def here(function: Callable[..., Any], *arguments: Any) -> Any:
    """What `run_apart` does, without another process; and once for all tests that ask the same of the same voices."""
    return pickle.loads(_done(pickle.dumps((function, arguments))))


@cache
def _done(asked: bytes) -> bytes:
    function, arguments = pickle.loads(asked)
    return pickle.dumps(function(*arguments))


@pytest.fixture
def opportunity(actor: Any, product: Any) -> Any:
    from whytree.tree.services import create_opportunity

    return create_opportunity(actor, product, title="I don't know why you need my phone number")


@pytest.fixture
def say(actor: Any, product: Any) -> Any:
    """Take in one voice: `say("It asked for my number", person="mira")`."""
    from whytree.voice.arriving.drafts import Source
    from whytree.voice.services import add_feedback

    def add(text: str, source: str = "in-app", **fields: Any) -> Any:
        return add_feedback(actor, product, source=Source("test", source, source), text=text, **fields)

    return add


@pytest.fixture
def find(product: Any) -> Any:
    """The texts found: `find("phone -ios")`."""
    from whytree.voice.queries import Wanted, page_of

    def texts(words: str, **wanted: Any) -> list[str]:
        return [item.text for item in page_of(product, Wanted(state="all", words=words, **wanted)).items]

    return texts


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    error: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.error
        return json.loads(self.out)


@pytest.fixture
def cli(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """The command line as Alice, answered in this process: `cli("feedback", "search", "phone").out`."""
    monkeypatch.setenv("WHYTREE_PRODUCT", "sprout")

    def run(*words: str) -> Done:
        done = terminal.cli(*words, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    return run
