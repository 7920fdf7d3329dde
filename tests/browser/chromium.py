"""Debian's Chromium. Its headless shell is the same engine without what a window needs: two thirds of the work."""

import shutil
from typing import Any

from tests.needed import missing

PROGRAMS = ("chromium-headless-shell", "chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Any) -> Any:
    """A browser; where none is installed the test is skipped, and fails with CI=true."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        missing(f"chromium is missing: apt-get install {PROGRAMS[0]}")
    return playwright.chromium.launch(executable_path=found, args=[*FLAGS, "--headless=new"])
