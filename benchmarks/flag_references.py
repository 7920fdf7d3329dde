"""How long does it take to find every flag in 10,000 files, and how much of that is git's own search?

python benchmarks/flag_references.py [--files 10000] [--flags 50] [--commits 200] [--rounds 5]

1. A repository is made with `git fast-import`: mostly Python of 250 lines a file, some other text; every flag is asked
   for in some files, half of them through constants of another module; more commits change files here and there, and
   some take a flag's last reference away.
2. The search of `whytree flag references` runs in a process of its own: cold (nothing remembered), again, and after a
   commit that changes one file. With it, the pass over the whole history for flags that are gone.
3. Beside it, in the same round: `git grep -F` once for each flag, and one `git grep -F -f` for all.

Budget: 5 s cold for 10,000 files. The ratios say what resolving costs beside a text search that git does itself.
"""

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

BUDGET_SECONDS = 5.0
LINES = 250
ROOT = Path(__file__).resolve().parent.parent
WORDS = "account book value phone number city lesson teacher price date email person table window order".split()  # noqa: SIM905  reads better

SEARCH = """
import os, sys, time
from pathlib import Path
from whytree.code.scanning.flag_search import FlagSearch
from whytree.code.clone.git import open_clone
clone = open_clone(Path(sys.argv[1]))
keys = Path(sys.argv[2]).read_text().split()
begin = time.perf_counter()
found = FlagSearch(clone, keys).run(extinct=sys.argv[3] == "history")
resolved = sum(one.how == "resolved" for one in found.references)
seconds = time.perf_counter() - begin
print(seconds, sum(os.times()[:4]), len(found.references), resolved, len(found.extinctions))
"""


def text(draw: random.Random, number: int, keys: list[str]) -> str:
    """A file of its own words; one in twenty asks for a flag."""
    lines = [f'"""Module {number}."""', ""]
    asks = number % 20 == 0
    if asks and number % 40 == 0:
        lines += ["from app import keys", ""]
    for row in range(LINES):
        one, two, three = draw.sample(WORDS, k=3)
        if row % 10 == 0:
            lines += ["", "", f"def {one}_{row}({two}, {three}):"]
        lines.append(f"    {one} = {two}.{three}({draw.randrange(1000)}, '{one} {three}')")
    if asks:
        key = keys[number // 20 % len(keys)]
        argument = f"keys.{key.upper().replace('-', '_')}" if number % 40 == 0 else f'"{key}"'
        lines += [
            "",
            "",
            "def decide(person):",
            f"    if flags.is_on({argument}, person):",
            "        return 1",
            "    return 2",
        ]
    return "\n".join(lines) + "\n"


def history(files: int, commits: int, keys: list[str], gone: list[str]) -> Iterator[bytes]:
    """A stream for `git fast-import`: everything in one commit, then small ones; the last ones take the gone flags out."""
    draw = random.Random(11)
    paths = [f"app/part{number % 100}/module{number}.{'js' if number % 7 == 3 else 'py'}" for number in range(files)]
    constants = "".join(f'{key.upper().replace("-", "_")} = "{key}"\n' for key in keys)
    tree = {path: text(draw, number, keys) for number, path in enumerate(paths)}
    tree["app/keys.py"] = constants
    tree["app/old.py"] = "".join(f'flags.is_on("{key}")\n' for key in gone)
    for number in range(commits + 1):
        message = f"Change number {number}"
        at = 1_700_000_000 + number * 600
        yield f"commit refs/heads/main\ncommitter Ana <ana@example.org> {at} +0000\ndata {len(message)}\n{message}\n".encode()
        changed = list(tree) if number == 0 else draw.sample(paths, 5)
        for path in changed:
            if number:
                tree[path] = tree[path].replace("return 2", f"return {number}") + f"# {number}\n"
        if number > commits - len(gone):
            tree["app/old.py"] = "".join(tree["app/old.py"].splitlines(keepends=True)[1:])
            changed.append("app/old.py")
        for path in changed:
            body = tree[path].encode()
            yield f"M 100644 inline {path}\ndata {len(body)}\n".encode() + body + b"\n"
    yield b"done\n"


def make_repository(folder: Path, files: int, commits: int, keys: list[str], gone: list[str]) -> None:
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(folder)], check=True)
    stream = subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet", "--done"], stdin=subprocess.PIPE)
    with stream:
        for part in history(files, commits, keys, gone):
            if stream.stdin:
                stream.stdin.write(part)
    subprocess.run(["git", "-C", str(folder), "reset", "--quiet", "--hard"], check=True)
    subprocess.run(["git", "-C", str(folder), "gc", "--quiet"], check=True)


def search(folder: Path, keys: Path, what: str) -> tuple[float, float, str]:
    """Seconds of the search, seconds of all processors in the whole process, and what it found."""
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/local/bin:/usr/bin:/bin"}
    command = [sys.executable, "-c", SEARCH, str(folder), str(keys), what]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()
    return float(done[0]), float(done[1]), f"{done[2]} references, {done[3]} resolved, {done[4]} extinct"


def timed(*command: str) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=False, capture_output=True)
    return time.perf_counter() - begin


def change_one(folder: Path, number: int) -> None:
    changed = 7 * number  # a Python file
    path = folder / "app" / f"part{changed % 100}" / f"module{changed}.py"
    path.write_text(path.read_text() + f"# round {number}\n")
    who = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org")
    subprocess.run(["git", "-C", str(folder), *who, "commit", "--quiet", "--all", "--message", "One"], check=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--flags", type=int, default=50)
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    keys = [f"flag-{number}-{WORDS[number % len(WORDS)]}" for number in range(chosen.flags)]
    gone = [f"gone-{number}" for number in range(5)]
    with tempfile.TemporaryDirectory(prefix="whytree-bench-") as place:
        folder, listing = Path(place) / "clone", Path(place) / "keys"
        make_repository(folder, chosen.files, chosen.commits, keys, gone)
        listing.write_text("\n".join([*keys, *gone]) + "\n")
        measure(folder, listing, [*keys, *gone], chosen.rounds)


def measure(folder: Path, listing: Path, keys: list[str], rounds: int) -> None:
    taken: dict[str, list[float]] = {
        name: [] for name in ("cold", "warm", "one file changed", "with history", "each", "all", "processors")
    }
    git = ("git", "-C", str(folder), "grep", "-n", "-I")
    found = ""
    for number in range(1, rounds + 1):
        shutil.rmtree(folder / ".git" / "whytree", ignore_errors=True)
        seconds, spent, found = search(folder, listing, "now")
        taken["cold"].append(seconds)
        taken["processors"].append(spent)
        taken["warm"].append(search(folder, listing, "now")[0])
        change_one(folder, number)
        taken["one file changed"].append(search(folder, listing, "now")[0])
        seconds, _, ended = search(folder, listing, "history")
        taken["with history"].append(seconds)
        if number == 1:  # takes long
            taken["each"].append(sum(timed(*git, "-F", "-e", key, "HEAD") for key in keys))
        taken["all"].append(timed(*git, "-F", "-f", str(listing), "HEAD"))
    middle = {name: statistics.median(values) for name, values in taken.items()}
    count = len(
        subprocess.run(["git", "-C", str(folder), "ls-files"], capture_output=True, check=True).stdout.splitlines()
    )
    print(f"{count:,} files, {len(keys)} flags: {found}; over the history {ended.rpartition(', ')[2]}")
    print(f"  cold takes {middle['processors']:.2f} s of processor time, Python's start and git's threads with it")
    for name in ("cold", "warm", "one file changed", "with history"):
        print(f"  {name:18} {middle[name]:6.2f} s")
    print(
        f"  git grep -F, once for each flag {middle['each']:6.2f} s   ratio cold / git {middle['cold'] / middle['each']:.2f}"
    )
    print(
        f"  git grep -F -f, all at once     {middle['all']:6.2f} s   ratio cold / git {middle['cold'] / middle['all']:.2f}"
    )
    print(f"budget {BUDGET_SECONDS:.0f} s cold: {'kept' if middle['cold'] < BUDGET_SECONDS else 'MISSED'}")


if __name__ == "__main__":
    main()
