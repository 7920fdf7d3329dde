"""Debian's Chromium. Its headless shell is the same engine without what a window needs: two thirds of the work."""

import os
import shutil
from typing import Any

import pytest

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
        message = f"chromium is missing: apt-get install {PROGRAMS[0]}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return playwright.chromium.launch(executable_path=found, args=[*FLAGS, "--headless=new"])
