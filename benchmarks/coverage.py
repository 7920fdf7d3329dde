"""Who wrote each surviving line of a whole repository: one replay of its history beside one `git blame` a file.

    python benchmarks/coverage.py [--commits 50000] [--files 10000] [--sample 60]
    python benchmarks/coverage.py --repository PATH      # a clone of yours, which is only read

1. A repository is made: files come one by one, commits change a few lines of a few of them, one in twelve stands on a
   branch that is merged, blocks move between files, files are renamed.
2. The lines of all files are read by replay with nothing kept, and again after one more commit.
3. Files drawn at random are blamed one by one with the very options that `whytree why` uses, on all cores as it did;
   the time a line of them took is extrapolated to all lines. Both answers are compared line by line.
4. With --whole, everything a person waits for is timed: `whytree repository add`, `sync` after a commit, `coverage`.

Budgets: cold < 60 s, after a commit < 2 s, ten times faster than blame.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from whytree.code.blame.lines import FileLines, LineReader, Wanted
from whytree.code.blame.survivors import Survivors
from whytree.code.clone.git import open_clone

COLD_SECONDS, WARM_SECONDS, TIMES_FASTER = 60, 2, 10
START = 1_700_000_000


class History:
    """A stream for `git fast-import`, and the state of the files that it is at."""

    def __init__(self, commits: int, files: int) -> None:
        self._draw = random.Random(7)
        self._commits = commits
        self._files: dict[str, list[str]] = {}
        self._wanted = files
        self._mark = 0

    def stream(self) -> Iterator[bytes]:
        tip = 0
        for number in range(self._commits):
            if self._mark >= self._commits:
                break
            if number % 12 == 11 and self._mark + 3 <= self._commits:
                yield from self._commit([tip] if tip else [], self._edits(1), number)
                trunk, side = self._mark, dict(list(self._edits(2).items()))
                yield from self._commit([tip], side, number)
                yield from self._commit([trunk, self._mark], side, number)
            else:
                yield from self._commit([tip] if tip else [], self._edits(1 + self._draw.randrange(3)), number)
            tip = self._mark
        yield b"reset refs/heads/main\nfrom :%d\n\ndone\n" % tip

    def _commit(self, parents: list[int], files: dict[str, list[str] | None], number: int) -> Iterator[bytes]:
        self._mark += 1
        message = f"Change number {number}" + (f"\n\nWhy: SOL-{1 + number % 20}" if number % 3 else "")
        yield (
            f"commit refs/heads/work\nmark :{self._mark}\ncommitter Ana <ana@example.org> "
            f"{START + number * 600} +0000\ndata {len(message)}\n{message}\n"
        ).encode()
        for position, parent in enumerate(parents):
            yield f"{'merge' if position else 'from'} :{parent}\n".encode()
        for path, lines in files.items():
            if lines is None:
                yield f"D {path}\n".encode()
            else:
                text = "\n".join(lines) + "\n"
                yield f"M 100644 inline {path}\ndata {len(text)}\n{text}\n".encode()

    def _edits(self, count: int) -> dict[str, list[str] | None]:
        draw, changed = self._draw, dict[str, list[str] | None]()
        # Twice as fast as needed, so that half of the history finds most of the files there.
        if len(self._files) < self._wanted:
            for _ in range(max(1, 2 * self._wanted // self._commits)):
                path = f"src/part{draw.randrange(40)}/unit{draw.randrange(20)}/module{len(self._files)}.py"
                self._files[path] = [self._line() for _ in range(draw.randrange(20, 180))]
                changed[path] = self._files[path]
        paths = list(self._files) if draw.random() < 0.05 else list(self._files)[-400:]
        for path in draw.sample(paths, min(count, len(paths))):
            lines = self._files[path]
            at = draw.randrange(len(lines) + 1)
            act = draw.random()
            if act < 0.55:
                lines[at : at + draw.randrange(4)] = [self._line() for _ in range(draw.randrange(1, 8))]
            elif act < 0.85:
                lines[at:at] = [self._line() for _ in range(draw.randrange(1, 12))]
            elif act < 0.95 and len(lines) > 30:
                other = self._files[draw.choice(paths)]
                other[:0], lines[5:12] = lines[5:12], []
            else:
                del lines[at : at + 5]
            changed[path] = lines
        return changed

    def _line(self) -> str:
        return f"    value_{self._draw.randrange(10**6)} = compute(source_{self._draw.randrange(300)}, limit={self._draw.randrange(50)})"


def make_repository(folder: Path, commits: int, files: int) -> None:
    git(folder.parent, "init", "--quiet", "--initial-branch=main", str(folder))
    importer = subprocess.Popen(
        ["git", "-C", str(folder), "fast-import", "--quiet", "--done"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    with importer:
        for piece in History(commits, files).stream():
            importer.stdin.write(piece)  # type: ignore[union-attr]
    git(folder, "reset", "--quiet", "--hard", "main")
    git(folder, "gc", "--quiet")


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org")
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


class Watch:
    """Seconds on the wall, and of both cores' time, git's included: a busy machine changes only the first."""

    def __enter__(self) -> "Watch":
        self._begin, self._busy = time.perf_counter(), self._spent()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.busy = time.perf_counter() - self._begin, self._spent() - self._busy

    def _spent(self) -> float:
        return sum(
            usage.ru_utime + usage.ru_stime
            for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        )

    def __str__(self) -> str:
        return f"{self.wall:.1f} s ({self.busy:.1f} s of a core)"


def compare(clone_path: Path, sample: int) -> None:
    clone = open_clone(clone_path)
    with Watch() as cold:
        reading = Survivors(clone)
        files = reading.read(keep=False)
        lines = {path: reading.ledger.commits_of(version.lines) for path, version in files.items()}
    total = sum(map(len, files.values()))
    print(f"{reading.replayed:,} commits, {len(files):,} files, {total:,} lines replayed in {cold}")
    drawn = random.Random(3).sample(sorted(path for path in files if len(files[path])), min(sample, len(files)))
    with Watch() as blaming:
        blamed = LineReader(clone, "HEAD").read_all([Wanted(path) for path in drawn])
    of_them = sum(len(files[path]) for path in drawn)
    walls, busy = (taken / of_them * total for taken in (blaming.wall, blaming.busy))
    print(
        f"{len(drawn)} files blamed in {blaming}, {os.cpu_count()} at a time: {walls:.0f} s ({busy:.0f} s) for all lines"
    )
    faster = walls / cold.wall
    print(
        f"blame / replay: {faster:.1f}, of a core's time {busy / cold.busy:.1f} ({verdict(faster >= TIMES_FASTER)} {TIMES_FASTER})"
    )
    print(f"cold {cold.wall:.1f} s ({verdict(cold.wall < COLD_SECONDS)} {COLD_SECONDS} s)")
    agree(lines, blamed)


def agree(lines: dict[str, list[tuple[int, int, str]]], blamed: dict[Wanted, FileLines]) -> None:
    """Lines that came with the same commit; apart, files in which maintenance was looked through."""
    same, all_of = Counter[bool](), Counter[bool]()
    for wanted, file in blamed.items():
        told = [sha for first, last, sha in lines[wanted.path] for _ in range(first, last + 1)]
        through = bool(file.looked_through)
        all_of[through] += len(told)
        same[through] += sum(a == b.sha for a, b in zip(told, file.lines, strict=True))
    for through, words in ((False, "no maintenance"), (True, "maintenance looked through")):
        if all_of[through]:
            print(
                f"{words}: the same commit for {100 * same[through] / all_of[through]:.2f} % of {all_of[through]:,} lines"
            )


def after_a_commit(clone_path: Path) -> None:
    Survivors(open_clone(clone_path)).read()
    path = next(iter(sorted(git(clone_path, "ls-files").splitlines())))
    with (clone_path / path).open("a") as out:
        out.write("one = more\n")
    git(clone_path, "commit", "--quiet", "--all", "--message", "One more")
    with Watch() as again:
        warm = Survivors(open_clone(clone_path))
        for version in warm.read().values():
            warm.ledger.commits_of(version.lines)
    print(
        f"after a commit: {warm.replayed} replayed in {again} ({verdict(again.wall < WARM_SECONDS)} {WARM_SECONDS} s)"
    )


def whole_commands(clone_path: Path, data: Path) -> None:
    environment = {**os.environ, "WHYTREE_DATA": str(data), "WHYTREE_PRODUCT": "bench"}

    def run(*words: str) -> float:
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "whytree", *words], env=environment, cwd=clone_path, check=True, capture_output=True
        )
        return time.perf_counter() - begin

    run("owner", "bench@example.org", "--product-name", "Bench")
    run("outcome", "add", "Activated in 7 days", "--baseline", "31.2", "--target", "40")
    run("opportunity", "add", "I don't know why you need my phone number", "--under", "OUT-1")
    for number in range(20):
        run("solution", "add", f"Way number {number}", "--under", "OPP-1")
    print(f"without a server: whytree repository add {run('repository', 'add', '.'):.1f} s")
    print(f"whytree repository sync, nothing new {run('repository', 'sync'):.1f} s")
    print(f"whytree coverage {run('coverage', '--no-sync'):.1f} s, of it {run('owner', '--help'):.1f} s to start")


def verdict(kept: bool) -> str:
    return "budget kept:" if kept else "budget MISSED:"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--commits", type=int, default=50_000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--repository", type=Path)
    parser.add_argument("--whole", action="store_true")
    chosen = parser.parse_args()
    if chosen.repository:
        compare(chosen.repository, chosen.sample)
        return
    with tempfile.TemporaryDirectory(prefix="whytree-bench-") as folder:
        clone = Path(folder) / "clone"
        make_repository(clone, chosen.commits, chosen.files)
        compare(clone, chosen.sample)
        after_a_commit(clone)
        if chosen.whole:
            whole_commands(clone, Path(folder) / "data")


if __name__ == "__main__":
    main()
