"""Entry point of ``whytree``: lets git begin on what is asked before the command line is put together."""

import sys

from whytree.code import headstart


def main() -> None:
    headstart.begin(sys.argv[1:])
    try:
        from .cli import main as run

        run()
    finally:
        headstart.end()
