"""Let git begin to blame while the command line is still being put together.

For `whytree why app/form.py:42` git may need half a second, and we a tenth of one for imports: both at once cost only
the longer. What was begun is only taken for the very lines that are asked about; else it is ended. Standard library only.
"""

import os
import re
import subprocess
from collections.abc import Sequence

from whytree.engines.git.blame_arguments import BLAME_ARGUMENTS

# Nothing of a person's own settings may change what we read, and no program of the repository's choosing runs.
CONFIGURATION = (
    *("-c", "core.quotePath=false"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "color.ui=never"),
    *("-c", "log.showSignature=false"),
    # A larger file is data: nobody reads its lines one by one.
    *("-c", "core.bigFileThreshold=16m"),
)
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_LITERAL_PATHSPECS": "1",
    # A clone without all its blobs would fetch them one by one; reading never goes over the network.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # the same for git before 2.44
}
_ANOTHER = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"}
# More filters than this are nobody's, and would not fit on a command line.
_LONGEST_NAMES = 50_000
_LINES = re.compile(r"(?P<path>[^:\0]+):(?P<first>[1-9]\d{0,5})(?:-(?P<last>[1-9]\d{0,5}))?")

Key = tuple[str, int, int]
_begun: dict[Key, "subprocess.Popen[bytes]"] = {}


def environment() -> dict[str, str]:
    """A hook runs with the repository it belongs to in its environment; we mean the one at the path."""
    kept = {name: value for name, value in os.environ.items() if name not in _ANOTHER}
    return {**kept, **_ENVIRONMENT}


def without_filters(folder: str) -> list[str]:
    """Options that turn off every filter named in the settings at a folder: git runs them to read a work tree.

    `ValueError` for one that no option can turn off, as those of a name with "=" in it.
    """
    command = ["git", "-C", folder, "config", "--name-only", "-z", "--get-regexp", r"^filter\."]
    done = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    listed = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    names = dict.fromkeys(key.rpartition(".")[0] for key in listed if key)
    if any("=" in name for name in names) or sum(map(len, names)) > _LONGEST_NAMES:
        raise ValueError("a filter that cannot be turned off")
    settings = [f"{name}.{setting}" for name in names for setting in ("clean=", "process=", "required=false")]
    return [word for setting in settings for word in ("-c", setting)]


def begin(words: Sequence[str]) -> None:
    """Begin on `why PATH:LINE`, exactly so written (`--json` may stand beside it); anything else is left alone."""
    asked = [word for word in words[1:] if word != "--json"]
    lines = _LINES.fullmatch(asked[0]) if words[:1] == ["why"] and len(asked) == 1 else None
    if lines is None or lines["path"].startswith("-") or not os.path.isfile(lines["path"]):
        return
    first = int(lines["first"])
    last = int(lines["last"] or first)
    file = os.path.realpath(lines["path"])
    folder = os.path.dirname(file)
    try:
        command = ["git", "-C", folder, "--no-pager", *CONFIGURATION, *without_filters(folder), *BLAME_ARGUMENTS]
        command += [f"-L{first},{last}", "--", os.path.basename(file)]
        _begun[file, first, last] = subprocess.Popen(
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, ValueError):
        return  # whoever asks next says it in a sentence


def take(file: str, first: int, last: int) -> bytes | None:
    """What git says of these lines, if it was begun and went well; None to ask it again."""
    process = _begun.pop((os.path.realpath(file), first, last), None)
    if process is None:
        return None
    output, _ = process.communicate()
    return None if process.returncode else output


def end() -> None:
    """Whatever was begun and is not needed."""
    while _begun:
        _, process = _begun.popitem()
        process.kill()
        process.communicate()
