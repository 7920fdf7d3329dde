"""Let git begin to blame while the command line is still being put together.

For `whytree why app/form.py:42` git may need half a second, and we a tenth of one for imports: both at once cost only
the longer. What was begun is only taken for the very lines that are asked about; else it is ended. Where the clone
remembers them, nothing is begun. Standard library only.
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

# What a clone's settings say of how it is read: its filters, its remotes, and commits to look through.
_SETTINGS = r"^(filter\..*|remote\..*\.url|blame\.ignorerevsfile)$"

# How what git said of lines is kept in the clone (`cache`); another number, and what was kept before is not read.
KEPT_VERSION = 1

Key = tuple[str, int, int]
Settings = tuple[tuple[str, str], ...]
_begun: dict[Key, "subprocess.Popen[bytes]"] = {}
_settings: dict[str, Settings] = {}  # by the top of the clone that this command asks about


def environment() -> dict[str, str]:
    """A hook runs with the repository it belongs to in its environment; we mean the one at the path."""
    kept = {name: value for name, value in os.environ.items() if name not in _ANOTHER}
    return {**kept, **_ENVIRONMENT}


def settings_at(folder: str) -> Settings:
    """Names and values of the settings at a folder that say how to read it; what was read for this command is not read again."""
    if folder in _settings:
        return _settings[folder]
    command = ["git", "-C", folder, "config", "-z", "--get-regexp", _SETTINGS]
    done = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    listed = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    return tuple((name, value) for name, _, value in (one.partition("\n") for one in listed) if name)


def without_filters(settings: Settings) -> list[str]:
    """Options that turn off every filter that the settings name: git runs them to read a work tree.

    `ValueError` for one that no option can turn off, as those of a name with "=" in it.
    """
    names = dict.fromkeys(name.rpartition(".")[0] for name, _ in settings if name.startswith("filter."))
    if any("=" in name for name in names) or sum(map(len, names)) > _LONGEST_NAMES:
        raise ValueError("a filter that cannot be turned off")
    options = [f"{name}.{setting}" for name in names for setting in ("clean=", "process=", "required=false")]
    return [word for option in options for word in ("-c", option)]


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
    top = _top_above(folder)
    if top and _is_remembered(file, top, first, last):
        return
    try:
        settings = settings_at(folder)
        command = ["git", "-C", folder, "--no-pager", *CONFIGURATION, *without_filters(settings), *BLAME_ARGUMENTS]
        command += [f"-L{first},{last}", "--", os.path.basename(file)]
        _begun[file, first, last] = subprocess.Popen(
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if top:
            _settings[top] = settings
    except (OSError, ValueError):
        return  # whoever asks next says it in a sentence


def _top_above(folder: str) -> str:
    """The top of the clone around a folder, where that is as plain as most are; "" where only git could tell."""
    while not os.path.exists(os.path.join(folder, ".git")):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return ""
    return folder if os.path.isdir(os.path.join(folder, ".git")) else ""


def _is_remembered(file: str, top: str, first: int, last: int) -> bool:
    """Whether what git said of these lines seems to be kept. `cache` looks closer; a wrong yes costs time alone."""
    try:
        with open(kept_file(os.path.join(top, ".git"), os.path.relpath(file, top)), "rb") as kept:
            told = kept.read()
        with open(file, "rb") as text:
            blob = blob_of(text.read())
    except OSError:
        return False
    return all(word.encode() in told for word in (f'"{blob}"', f'"{first}": [', f'"{last}": ['))


def kept_file(git_folder: str, path: str) -> str:
    """Where it is kept what git said of the lines of a path: one small file each, in 256 folders."""
    import hashlib

    name = hashlib.sha1(path.encode("utf-8", "surrogateescape")).hexdigest()  # noqa: S324  a name, not a secret
    return os.path.join(git_folder, "whytree", f"lines-{KEPT_VERSION}", name[:2], f"{name[2:]}.json")


def blob_of(raw: bytes, sha_length: int = 40) -> str:
    """Id git gives these contents, where nothing converts them on their way."""
    import hashlib

    make = hashlib.sha256 if sha_length == 64 else hashlib.sha1
    return make(b"blob %d\0" % len(raw) + raw).hexdigest()


def take(file: str, first: int, last: int) -> bytes | None:
    """What git says of these lines, if it was begun and went well; None to ask it again."""
    process = _begun.pop((os.path.realpath(file), first, last), None)
    if process is None:
        return None
    output, _ = process.communicate()
    return None if process.returncode else output


def end() -> None:
    """Whatever was begun and is not needed; what was read for this command is forgotten."""
    _settings.clear()
    while _begun:
        _, process = _begun.popitem()
        process.kill()
        process.communicate()
