"""Entry point of ``whytree``: git begins on what is asked before the command line is put together, and help needs none of it."""

import sys
from contextlib import suppress

from whytree.code.clone import headstart


def main() -> None:
    words = sys.argv[1:]
    if not words or words in (["--help"], ["-h"]):
        from .menu import print_menu

        with suppress(BrokenPipeError):  # whoever reads has seen enough: `whytree --help | head`
            print_menu()
        return
    headstart.begin(words)
    try:
        from .cli import main as run

        run()
    finally:
        headstart.end()
