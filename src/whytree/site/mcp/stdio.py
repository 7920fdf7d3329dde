"""MCP on standard input and output: one JSON message a line, in the clone that it was started in.

Whatever else this process or its git writes to standard output goes to standard error, and nothing but the client is read.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from whytree.code.clone.git import open_clone
from whytree.workspace.terminal.client import CommandError, connect
from whytree.workspace.terminal.printing import say
from whytree.workspace.terminal.tooling import Desk, Told, Tool

from . import all_tools
from .protocol import MOST_BYTES, Refused, Server, answer, failure, read


def serve(folder: Path) -> None:
    """Answer until the client closes its end."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise CommandError(f"{folder} cannot be entered: {error.strerror}. Name the folder of your clone.") from error
    if sys.stdin.isatty():
        say("A coding agent starts this and speaks JSON with it. Ctrl-D ends it.", err=True)
    with _wires() as (reader, writer), suppress(BrokenPipeError, KeyboardInterrupt):
        talk(Server(all_tools(), _call), reader, writer)


def talk(server: Server, reader: BinaryIO, writer: BinaryIO) -> None:
    """Message by message, each answered before the next is read."""
    for line in _lines(reader):
        try:
            reply = answer(server, read(line))
        except Refused as refused:
            reply = failure(refused)
        if reply is not None:
            writer.write(msgspec.json.encode(reply) + b"\n")
            writer.flush()


def _lines(reader: BinaryIO) -> Iterator[bytes]:
    """Lines with something on them; of one that is too long only its beginning, which is no JSON then."""
    while line := reader.readline(MOST_BYTES):
        whole = line
        while whole and not whole.endswith(b"\n"):
            whole = reader.readline(MOST_BYTES)
        if line.strip():
            yield line


def _call(tool: Tool, asked: Any) -> Told:
    """Connected anew for each call: a server may have started meanwhile, or ended."""
    try:
        return tool.run(Desk(connect(via="mcp"), _clone()), asked)
    finally:
        _let_go()


def _clone() -> Path | None:
    try:
        return open_clone(Path.cwd()).root.resolve()
    except CommandError:
        return None


def _let_go() -> None:
    """Where there was no server the engine was opened here: the next one to start must find its folder free."""
    if opened := sys.modules.get("whytree.stores.events"):
        opened.close()


@contextmanager
def _wires() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The two ends of the client, kept from everything that reads or prints by habit."""
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    try:
        yield reader, writer
    finally:
        reader.close()
        with suppress(BrokenPipeError):
            writer.close()
