"""What a tool is: a verb that a coding agent may call over MCP. Each room lists its own in `tools.py`; `site/mcp/` speaks the protocol.

    class Asked(Request):
        ref: Annotated[str, Meta(max_length=1000, description="A line, a commit, SOL-3 ...")]

    @tool("Why is this here?")
    def why(desk: Desk, asked: Asked) -> Told:
        "The five hops behind a line ..."          # what the agent reads
        answer = desk.client.get(desk.path("why"), ref=asked.ref)
        return Told(lines_of(answer), answer)

A tool is a door: it calls the REST API as whoever asks, as the command line does, and says the answer in lines.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec

from .client import Client

AGENT = "an agent over MCP"  # the rule behind whatever a machine has linked


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What a tool is asked: the fields' `Meta` says what each means and how long it may be."""


A = TypeVar("A", bound=Request)


@dataclass(frozen=True)
class Desk:
    """What a tool works with: the API as whoever asks, and the clone it was started in. Over HTTP there is none."""

    client: Client
    clone: Path | None = None

    def path(self, rest: str) -> str:
        return f"/products/{self.client.product}/{rest}"


@dataclass(frozen=True)
class Told:
    """An answer: `lines` to read, `data` for a program."""

    lines: Sequence[str]
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Tool:
    """A verb, what it is asked, and who answers."""

    name: str
    title: str
    help: str
    asks: type[Request]
    run: Callable[[Desk, Any], Told]
    writes: bool = False

    def schema(self) -> dict[str, Any]:
        """What may be asked, as JSON Schema."""
        _, parts = msgspec.json.schema_components([self.asks])
        found = dict(parts[self.asks.__name__])
        return {name: part for name, part in found.items() if name not in {"title", "description"}}

    def read(self, arguments: Mapping[str, Any]) -> Request:
        """What is asked; `msgspec.ValidationError` says what is wrong. Who leaves something out may say null."""
        said = {name: value for name, value in arguments.items() if value is not None}
        return msgspec.convert(said, self.asks, strict=False)


def tool(title: str, *, writes: bool = False) -> Callable[[Callable[[Desk, A], Told]], Tool]:
    """Make a tool of a function: it is called as the function is, and its docstring is what the agent reads."""

    def made(run: Callable[[Desk, A], Told]) -> Tool:
        asks = get_type_hints(run)["asked"]
        return Tool(run.__name__, title, " ".join(cleandoc(run.__doc__ or "").split()), asks, run, writes)

    return made
