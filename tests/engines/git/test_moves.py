"""Where added lines stood before, beside a search that tries everything."""

import random
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from whytree.engines.git import common_runs, moves
from whytree.engines.git.moves import COPIED, MOVED, Block, Finder, Passage, weigh

# Lines of every weight that matters: none, too little alone, enough to have moved, enough to have been copied.
LINES = [b"+", b"+)", b"+end", b"+return value", b"+a line heavy enough to move", b"+" + b"w" * 45]


@pytest.mark.parametrize("seed", range(150))
def test_it_finds_what_trying_every_run_of_every_stretch_finds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(seed)
    common = draw.choice([1, 2, 4, 50])
    for module in (moves, common_runs):
        monkeypatch.setattr(module, "COMMON", common)
    monkeypatch.setattr(common_runs, "_LARGE", draw.choice([0, 10, 1000]))
    monkeypatch.setattr(common_runs, "_AT_ONCE", draw.choice([1, 7, 1000]))
    files = {name: draw.choices(LINES, k=draw.randrange(1, 40)) for name in "abcd"[: draw.randrange(1, 5)]}
    rows = draw.choices(LINES, k=draw.randrange(1, 40))
    if draw.random() < 0.7:
        other = files[draw.choice(list(files))]
        at = draw.randrange(len(other))
        rows[draw.randrange(len(rows)) :] = other[at : at + draw.randrange(1, 20)]
    keys = {name: array("q", map(hash, lines)) for name, lines in files.items()}
    block, own = Block(rows, array("q", map(hash, rows))), draw.choice(["a", ""])
    found = Finder(keys, [block]).passages(block, own)
    assert _told(found) == _told(_slowly(files, rows, own))


def _told(passages: Sequence[Passage]) -> list[tuple[int, int, str, int]]:
    return sorted((one.start, one.end, one.source, one.at) for one in passages)


def _slowly(files: dict[str, list[bytes]], rows: list[bytes], own: str) -> list[Passage]:
    weights = array("I", map(weigh, rows))
    found: list[Passage] = []
    left = [(0, len(rows))]
    for least, sources in ((MOVED, [own]), (COPIED, sorted(files.keys() - {own}))):
        waiting, left = left, []
        while waiting:
            start, end = waiting.pop()
            best = None
            for source in sources if sum(weights[start:end]) >= least else ():
                if source in files and (source == own or _nominates(files, rows, weights, start, end, source)):
                    best = _best(files[source], rows, weights, (start, end), best, least, source)
            if best is None:
                left.append((start, end))
            else:
                found.append(best)
                waiting += [(start, best.start), (best.end, end)]
    return found


def _nominates(
    files: dict[str, list[bytes]], rows: list[bytes], weights: Sequence[int], start: int, end: int, source: str
) -> bool:
    return any(
        weights[at] and rows[at] in files[source] and sum(rows[at] in lines for lines in files.values()) <= moves.COMMON
        for at in range(start, end)
    )


def _best(
    lines: list[bytes],
    rows: list[bytes],
    weights: Sequence[int],
    stretch: tuple[int, int],
    best: Passage | None,
    least: int,
    source: str,
) -> Passage | None:
    """Heaviest; of equals in one file that whose first rarer line stands last, then what is shifted most, but of those
    that begin together what stands first; of equals in several files the last file's."""
    count = Counter(lines)
    heaviest = sum(best.weights) if best else least
    equals: list[tuple[int, int, int, int]] = []
    for first, last, at in _runs(lines, rows, *stretch):
        rare = next((row for row in range(first, last) if count[rows[row]] <= moves.COMMON), None)
        weight = sum(weights[first:last])
        if rare is None or weight < heaviest:
            continue
        equals = [] if weight > heaviest else equals
        heaviest = weight
        equals.append((rare, at - first, first, last))
    chosen = None
    for rare, shift, first, last in sorted(equals):
        if chosen is None or rare > chosen[0] or first != chosen[2]:
            chosen = (rare, shift, first, last)
    if chosen is None:
        return best
    _, shift, first, last = chosen
    return Passage(first, last, source, first + shift, array("I", weights[first:last]), least)


def _runs(lines: list[bytes], rows: list[bytes], start: int, end: int) -> Iterator[tuple[int, int, int]]:
    for shift in range(-end, len(lines)):
        first = None
        for row in range(start, end + 1):
            same = row < end and 0 <= row + shift < len(lines) and rows[row] == lines[row + shift]
            if same and first is None:
                first = row
            elif not same and first is not None:
                yield first, row, first + shift
                first = None


def test_a_rewrite_of_many_thousand_passages_takes_no_square_of_them() -> None:
    """Every third line is new, so that nothing follows anything; counted is how often a run is asked what of it is free."""
    rows = [b"line %d of what was there before\n" % at for at in range(6_000)]
    mixed = [b"new %d\n" % at if at % 3 == 0 else row for at, row in enumerate(reversed(rows))]
    keys = {row: at for at, row in enumerate({*rows, *mixed})}
    block = Block(mixed, array("q", [keys[row] for row in mixed]))
    asked = Counter[str]()
    pieces = moves._Search._pieces

    def counted(*words: Any) -> Iterator[Any]:
        asked["pieces"] += 1
        return pieces(*words)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moves._Search, "_pieces", counted)
        found = Finder({"a": array("q", [keys[row] for row in rows])}, [block]).passages(block, "a")
    assert len(found) == 4_000
    assert asked["pieces"] <= 3 * len(found)
