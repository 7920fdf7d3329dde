"""How long does one wait for `whytree start`, with a server running and without?

python benchmarks/start.py [--rounds 11]

1. A repository with one commit, a data folder of its own, a product with a small tree (200 opportunities, 400 solutions,
   evidence on each): what a team has after a year.
2. `whytree start OPP-1 "words" --yes` in new processes, from start to exit, the screen drawn and the branch made; beside
   it Python's own start and the git commands that it needs in any case (a switch and two settings).
3. The same without a server: everything is answered in the command's own process.

Budget: a median below 1 s with a server.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from why import server, timed

BUDGET_MS = 1_000
PROBLEMS = 200
WAYS = 400


def tree() -> str:
    """An export that `whytree import tree` reads."""
    import json

    outcome = {
        "id": "OUT-1",
        "kind": "outcome",
        "parent": None,
        "title": "Activated in 7 days",
        "baseline": 31.2,
        "target": 40,
    }
    problems = [
        {"id": f"OPP-{n}", "kind": "opportunity", "parent": "OUT-1", "title": f"I cannot find thing number {n}"}
        for n in range(1, PROBLEMS + 1)
    ]
    ways = [
        {"id": f"SOL-{n}", "kind": "solution", "parent": f"OPP-{1 + n % PROBLEMS}", "title": f"Way number {n}"}
        for n in range(1, WAYS + 1)
    ]
    said = [
        {"node": f"OPP-{1 + n % PROBLEMS}", "evidence_type": "anecdotal", "quote": f"I looked for it {n} times.",
         "source_kind": "url", "source_id": f"https://example.org/{n}", "said_at": "2026-03-01T00:00:00+00:00"}
        for n in range(PROBLEMS * 4)
    ]  # fmt: skip
    return json.dumps({"whytree_tree": 1, "nodes": [outcome, *problems, *ways], "evidence": said})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="whytree-bench-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(clone)], check=True)
        author = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org")
        subprocess.run(
            ["git", "-C", str(clone), *author, "commit", "--quiet", "--allow-empty", "-m", "Start"], check=True
        )
        export = Path(folder) / "tree.json"
        export.write_text(tree())
        whytree = [sys.executable, "-m", "whytree"]
        with server(Path(folder) / "data") as environment:
            subprocess.run([*whytree, "import", "tree", str(export)], env=environment, check=True, capture_output=True)
            served = rounds_of(whytree, environment, clone, rounds, "with a server")
        alone = rounds_of(whytree, environment, clone, max(3, rounds // 3), "in one process")
        bare = statistics.median(timed([sys.executable, "-c", "pass"]) for _ in range(5))
        git = statistics.median(
            timed(["git", "-C", str(clone), "switch", "--quiet", "--create", f"bare-{n}"]) for n in range(5)
        )
        print(
            f"with a server {served:.0f} ms, without {alone:.0f} ms; python's own start {bare:.0f}, git switch {git:.0f}"
        )
        print(f"budget {BUDGET_MS} ms: {'kept' if served < BUDGET_MS else 'MISSED'}")


def rounds_of(whytree: list[str], environment: dict[str, str], clone: Path, rounds: int, name: str) -> float:
    taken = [
        timed([*whytree, "start", f"OPP-{1 + n}", f"{name} {n}", "--yes"], env=environment, cwd=clone)
        for n in range(rounds + 1)
    ]
    return statistics.median(taken[1:])


if __name__ == "__main__":
    main()
