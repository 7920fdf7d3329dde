"""Which lines that were there before a change touches, read from the bytes of `git diff`. Pure."""

import re

from .blame import unquote_path
from .log import decode

# Nothing of a person's own settings may change what we read. What only looks different is not touched (`-w`).
CHANGED_ARGUMENTS = (
    *("-U0", "-w", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative", "-M"),
    *("--diff-filter=MDR", "--ignore-submodules=all", "--src-prefix=a/", "--dst-prefix=b/", "--inter-hunk-context=0"),
)
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def changed_lines(patch: bytes) -> dict[str, list[tuple[int, int]]]:
    """By path the runs of old lines, first and last included, that were changed or taken away.

    Of what was only put in, the line before it: it stands in somebody's lines now.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    runs: list[tuple[int, int]] = []
    rows = iter(patch.split(b"\n"))
    for row in rows:
        if row.startswith(b"--- "):
            runs = found.setdefault(unquote_path(decode(row[4:].rstrip(b"\t"))).removeprefix("a/"), [])
        elif head := _HUNK.match(row):
            start, before, after = (1 if count is None else int(count) for count in head.groups())
            if start:  # 0: before the first line, in nobody's
                runs.append((start, start + max(before, 1) - 1))
            for _ in range(before + after):  # a line that was taken away may look like the head of a file
                next(rows, b"")
    return {path: runs for path, runs in found.items() if runs}
