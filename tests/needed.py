"""What a test needs beside the checkout: a program, a folder."""

import os
from typing import NoReturn

import pytest


def missing(message: str) -> NoReturn:
    """Skip the test; with CI=true it fails, so that nothing is left out there unseen."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
