"""Work for the processor, in a process of its own: started for it, niced, gone afterwards.

    found = run_apart(find_all, texts)

A thread that computes takes the interpreter from all others: requests of milliseconds became requests of tens. The function is
imported anew over there, so it and its arguments have to be plain: nothing of Django's, nothing of the event store's. Not by
`multiprocessing`, which runs the parent's main script again, whatever that is.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from whytree.errors import Unavailable

Result = TypeVar("Result")

NICENESS = 10


def run_apart(function: Callable[..., Result], *arguments: Any) -> Result:
    """What the function returns, or raises. A process that was killed is `Unavailable`: the job is tried again later."""
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=pickle.dumps((function, arguments)),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )
    if done.returncode:
        raise Unavailable(
            f"The process that computed this ended with {done.returncode}, perhaps for want of memory.", retry_after=300
        )
    returned, value = pickle.loads(done.stdout)  # noqa: S301 - written by our own process, a moment ago
    if not returned:
        raise value
    result: Result = value
    return result


def _answer() -> None:
    """The other side: what is asked comes in pickled, and what it came to goes out the same way."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    out = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not stand in the answer
    try:
        function, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301 - the parent's own
        answer = (True, function(*arguments))
    except Exception as error:  # whatever it is, it belongs to whoever asked
        answer = (False, error)
    with suppress(BrokenPipeError), os.fdopen(out, "wb") as file:  # where whoever asked has ended meanwhile
        pickle.dump(answer, file)


if __name__ == "__main__":
    _answer()
