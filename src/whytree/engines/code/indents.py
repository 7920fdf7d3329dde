"""How deeply nested a text is: a cheap stand-in for its complexity that any language has.

Hindle, Godfrey and Holt 2008, "Reading beside the lines: indentation as a proxy for complexity metrics": the sum of the
indentation of a file's lines ranks files much as McCabe's and Halstead's measures do.
"""

from collections import Counter
from itertools import pairwise

# Most files tell their own step; one that has hardly any indented lines is taken to use this.
_USUAL = 4
_FEW = 3


def nesting(text: bytes) -> int:
    """The indentation levels of all lines, added up. Blank lines have none; a tab is a level."""
    widths: list[int] = []
    levels = 0
    for line in text.split(b"\n"):
        bare = line.lstrip(b" \t")
        if not bare.strip():
            continue
        blanks = line[: len(line) - len(bare)]
        levels += blanks.count(b"\t")
        widths.append(blanks.count(b" "))
    step = _step(widths)
    return levels + sum(width // step for width in widths)


def _step(widths: list[int]) -> int:
    """By how many spaces lines are most often indented further than the line before."""
    further = Counter(after - before for before, after in pairwise(widths) if 1 < after - before <= 8)
    step, times = further.most_common(1)[0] if further else (_USUAL, _FEW)
    return step if times >= _FEW else _USUAL
