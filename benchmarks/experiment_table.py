"""How fast is a table judged? 1,000,000 units, 20 metrics, 3 arms, against tea-tasting on the same file.

python benchmarks/experiment_table.py [units] [python with tea-tasting and polars] [python with gbstats and pyarrow]

Both read the same Parquet file and compare every arm with control on every metric; best of three, by the clock and by the processor (on
a busy machine the second is the fairer). Whytree also checks units, gaps, tails and the sample ratio. tea-tasting runs in an environment of
its own, whose python is the second argument, and gbstats (numpy < 2) in a third; without one that row is left out. gbstats takes
sums that somebody else has made, so its row counts reading and adding up by Arrow and numpy too.
"""

import contextlib
import io
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.csv
import pyarrow.parquet

METRICS = 20
RUNS = 3
PEER = """
import sys, time
import polars, tea_tasting as tt
clock = processor = float("inf")
for _ in range(int(sys.argv[2])):
    begun, spent = time.perf_counter(), time.process_time()
    table = polars.read_parquet(sys.argv[1])
    metrics = {f"m{at}": (tt.Proportion(f"m{at}") if at % 4 == 0 else tt.Mean(f"m{at}")) for at in range(int(sys.argv[3]))}
    result = tt.Experiment(metrics, variant="arm").analyze(table, control="control", all_variants=True)
    for pair in result.values():
        list(pair.items())
    clock, processor = min(clock, time.perf_counter() - begun), min(processor, time.process_time() - spent)
print(clock, processor)
"""

SUMS = """
import sys, time
import numpy as np, pyarrow.compute as pc, pyarrow.parquet as pq
from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest
from gbstats.models.statistics import ProportionStatistic, SampleMeanStatistic
clock = processor = float("inf")
for _ in range(int(sys.argv[2])):
    begun, spent = time.perf_counter(), time.process_time()
    names = [f"m{at}" for at in range(int(sys.argv[3]))]
    table = pq.read_table(sys.argv[1], columns=["arm", *names])
    arm = table["arm"].combine_chunks()
    masks = [pc.equal(arm, name).to_numpy(zero_copy_only=False) for name in ("control", "blue", "green")]
    for at, name in enumerate(names):
        values = table[name].to_numpy().astype(np.float64)
        arms = [values[mask] for mask in masks]
        made = [
            ProportionStatistic(n=len(one), sum=float(one.sum())) if at % 4 == 0
            else SampleMeanStatistic(n=len(one), sum=float(one.sum()), sum_squares=float((one * one).sum()))
            for one in arms
        ]
        for other in made[1:]:
            TwoSidedTTest(made[0], other, FrequentistConfig(difference_type="absolute")).compute_result()
    clock, processor = min(clock, time.perf_counter() - begun), min(processor, time.process_time() - spent)
print(clock, processor)
"""


def make(units: int, folder: Path) -> Path:
    rng = np.random.default_rng(1)
    columns: dict[str, object] = {
        "user": [f"u{at}" for at in range(units)],
        "arm": np.array(["control", "blue", "green"])[rng.integers(0, 3, units)],
    }
    for at in range(METRICS):
        columns[f"m{at}"] = [
            (rng.random(units) < 0.1).astype(np.int64),
            np.round(rng.lognormal(1, 1, units), 2),
            rng.poisson(3, units),
            np.round(np.where(rng.random(units) < 0.03, rng.lognormal(3, 1, units), 0), 2),
        ][at % 4]
    table = pyarrow.table({name: pyarrow.array(column) for name, column in columns.items()})
    pyarrow.parquet.write_table(table, folder / "experiment.parquet")
    pyarrow.csv.write_csv(table, folder / "experiment.csv")
    return folder / "experiment.parquet"


def ours(file: Path) -> tuple[float, float]:
    """Best of three, through the command's own door."""
    from typer.main import get_command

    from whytree.site.cli import build

    command = get_command(build())  # once: the peer is imported and ready, too
    words = ["experiment", "analyze", str(file), "--unit", "user", "--arm", "arm", "--json"]
    words += [word for at in range(METRICS) for word in ("--metric", f"m{at}")]
    clock = processor = float("inf")
    for _ in range(RUNS):
        begun, spent = time.perf_counter(), time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            command.main(words, standalone_mode=False)
        clock, processor = min(clock, time.perf_counter() - begun), min(processor, time.process_time() - spent)
    return clock, processor


def theirs(file: Path, python: str, program: str, name: str) -> tuple[float, float] | None:
    line = [python, "-c", program, str(file), str(RUNS), str(METRICS)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        print(
            f"{name} is left out: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'it did not run'}"
        )
        return None
    clock, processor = map(float, done.stdout.split())
    return clock, processor


def main() -> None:
    units = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    python = sys.argv[2] if len(sys.argv) > 2 else sys.executable
    with tempfile.TemporaryDirectory() as folder:
        parquet = make(units, Path(folder))
        peers = {"tea-tasting": theirs(parquet, python, PEER, "tea-tasting")}
        if len(sys.argv) > 3:
            peers["gbstats"] = theirs(parquet, sys.argv[3], SUMS, "gbstats")
        mine = ours(parquet)
        comma = ours(parquet.with_suffix(".csv"))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{units:,} units x {METRICS} metrics x 3 arms")
    rows = {"Whytree, Parquet": mine, "Whytree, CSV": comma}
    rows |= {f"{name}, Parquet": found for name, found in peers.items() if found}
    print(f"{'':22} {'clock':>8} {'processor':>10}")
    for name, (clock, processor) in rows.items():
        print(f"{name:22} {clock:6.2f} s {processor:8.2f} s")
    print(f"memory, Whytree        {memory:6.0f} MB at most")
    for name, peer in peers.items():
        if peer is None:
            print(f"To compare: an environment with {name}, its python as an argument.")
            continue
        clock, processor = mine[0] / peer[0], mine[1] / peer[1]
        print(f"Whytree takes {clock:.2f} of the time of {name} by the clock, {processor:.2f} by the processor")


if __name__ == "__main__":
    main()
