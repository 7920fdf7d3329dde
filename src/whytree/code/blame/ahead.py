"""Lines of a long history read by a process of their own, so that a second core has something to do meanwhile.

    ahead = ReadAhead.begin(clone, progress)     # None where it does not pay
    ...                                          # whatever else there is to do
    ahead.wait()                                 # from here on `Survivors` finds them in the clone's git folder
    ahead.stop()                                 # in any case, at the end

Nothing depends on it: what it did not do, `Survivors` does. Run as a program, it tells "done total" on lines of its own,
or "! reason" where the clone cannot be read so: then nobody tries again.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

from whytree.workspace.terminal.client import CommandError
from whytree.workspace.terminal.printing import say

from ..clone.git import Clone

# A shorter history is read in less time than it takes to share the work.
FEWEST_COMMITS = 1500
_REFUSED = "! "


class ReadAhead:
    """A reading that goes on beside us."""

    def __init__(self, clone: Clone, progress: Callable[[int, int], None]) -> None:
        # -P: the folder we stand in is somebody's clone, and nothing of it is imported.
        command = [sys.executable, "-P", "-m", "whytree.code.blame.ahead", str(clone.root)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._progress = progress
        self._refusal = ""
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    @classmethod
    def begin(cls, clone: Clone, commits: int, progress: Callable[[int, int], None]) -> "ReadAhead | None":
        """Begin where it pays: a history of so many commits, and a core to spare."""
        if commits < FEWEST_COMMITS or (os.cpu_count() or 1) < 2 or clone.is_shallow:
            return None
        try:
            return cls(clone, progress)
        except OSError:
            return None

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            words = line.split()
            if len(words) == 2 and all(map(str.isdigit, words)):
                self._progress(int(words[0]), int(words[1]))
            elif line.startswith(_REFUSED):
                self._refusal = line.removeprefix(_REFUSED).strip()

    def wait(self) -> None:
        """Until it has ended, well or not. Raises what stands against reading this clone so."""
        self._end()
        if self._refusal:
            raise CommandError(self._refusal)

    def _end(self) -> None:
        self._process.wait()
        self._listener.join()

    def stop(self) -> None:
        """End it; nothing is left half done."""
        if self._process.poll() is None:
            self._process.kill()
        self._end()
        if self._process.stdout:
            self._process.stdout.close()


def main(folder: str) -> None:
    """Read, and keep in the git folder."""
    from ..clone.git import open_clone
    from .survivors import Survivors

    try:
        Survivors(open_clone(Path(folder)), lambda done, total: say(f"{done} {total}")).read()
    except CommandError as error:
        say(_REFUSED + " ".join(error.message.split()))


if __name__ == "__main__":
    main(sys.argv[1])
