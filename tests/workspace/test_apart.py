"""Work in a process of its own: its answer and its errors come back, and it ends quietly when nobody is left to answer."""

import pickle
import subprocess
import sys

import pytest

from whytree.errors import Unavailable
from whytree.workspace.background import apart

pytestmark = pytest.mark.slow  # each starts a process


def test_an_answer_comes_back_and_so_does_an_error() -> None:
    assert apart.run_apart(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        apart.run_apart(divmod, 7, 0)


def test_a_process_that_was_killed_is_tried_again_later() -> None:
    with pytest.raises(Unavailable, match="want of memory"):
        apart.run_apart(sys.exit, 9)


def test_it_says_nothing_when_whoever_asked_has_ended() -> None:
    asked = [sys.executable, "-m", apart.__name__]
    with subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(pickle.dumps((str, ("for nobody",))))
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0
