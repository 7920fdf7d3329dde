"""How well are themes found, and how fast? Against people's labels (banking77), and TF-IDF with k-means in the same run.

python benchmarks/themes.py [FOLDER] [--semantic] [--large N]

FOLDER holds `banking77/train.csv.gz` and `test.csv.gz` (text, category) and, for the large run, `play-reviews/*.csv.gz`
(column text). Printed: NMI and ARI of every row's theme with its label (a row in no theme counts as a theme of its own kind), the share
in no theme, recall@10 (of an item's ten nearest, how many have its label), and seconds by the clock and by the processor, from texts to
themes. k-means is told the true number of themes; the others find it. `--large N` times N texts drawn with repeats, each made
different by a word of another. BERTopic's figures are those published with the data, on the test part, with the same model as --semantic.
FOLDER is $WHYTREE_TEST_DATA where none is given.
"""

import argparse
import csv
import gzip
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from whytree.engines.themes import distinct, find_themes
from whytree.engines.themes.grouping import nearest
from whytree.engines.themes.sentences import load_model
from whytree.engines.themes.vectors import OwnVectors, directions

PUBLISHED = {
    "published: TF-IDF + SVD + k-means, told k": (0.623, 0.261),
    "published: MiniLM + k-means, told k": (0.794, 0.505),
    "published: BERTopic with MiniLM": (0.803, 0.430),
}

Numbers = NDArray[np.int64]


def column(path: Path, name: str) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


class Clock:
    """Seconds by the clock and by the processor."""

    def __enter__(self) -> "Clock":
        self._begun, self._spent = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.clock, self.processor = time.perf_counter() - self._begun, time.process_time() - self._spent


def quality(name: str, truth: Sequence[str], found: Numbers, vectors: NDArray[np.float32], clock: Clock) -> None:
    labels = np.unique(np.array(truth), return_inverse=True)[1]
    near, _ = nearest(vectors, vectors, 10, same=True)
    recall = float((labels[near] == labels[:, None]).mean())
    print(
        f"  {name:44} {len(set(found.tolist()) - {-1}):4} themes  NMI {normalized_mutual_info_score(labels, found):.3f}"
        f"  ARI {adjusted_rand_score(labels, found):.3f}  left over {(found < 0).mean():5.1%}  recall@10 {recall:.3f}"
        f"  {clock.clock:6.1f} s  {clock.processor:6.1f} s processor"
    )


def ours(texts: Sequence[str], embed: Callable[[Sequence[str]], NDArray[np.float32]] | None) -> tuple[Numbers, Clock]:
    with Clock() as clock:
        found = find_themes(texts, embed=embed)
    return np.array([-1 if one is None else one for one in found.of_text]), clock


def k_means(texts: Sequence[str], count: int) -> tuple[Numbers, NDArray[np.float32], Clock]:
    """The usual way: English stop words, 100 dimensions, the true k."""
    with Clock() as clock:
        counts = TfidfVectorizer(stop_words="english", sublinear_tf=True, min_df=2).fit_transform(texts)
        vectors = directions(TruncatedSVD(100, random_state=1).fit_transform(counts))
        found = KMeans(count, n_init=4, random_state=1).fit_predict(vectors)
    return np.asarray(found, dtype=np.int64), vectors, clock


def measure(part: str, texts: list[str], truth: list[str], semantic: bool) -> None:
    print(f"banking77, {part}: {len(texts):,} texts, {len(set(truth))} labels")
    found, vectors, clock = k_means(texts, len(set(truth)))
    quality("TF-IDF + SVD + k-means, told k", truth, found, vectors, clock)
    found, clock = ours(texts, None)
    quality("Whytree", truth, found, _own(texts), clock)
    if semantic:
        model = load_model()
        found, clock = ours(texts, model.embed)
        quality("Whytree --semantic", truth, found, model.embed(texts), clock)
    if part == "test":
        for name, (nmi, ari) in PUBLISHED.items():
            print(f"  {name:44} {'':11}  NMI {nmi:.3f}  ARI {ari:.3f}")


def _own(texts: list[str]) -> NDArray[np.float32]:
    read = distinct(texts)
    return OwnVectors(read.read).of_texts[read.of_text]


def large(folder: Path, count: int) -> None:
    """Reviews and questions, drawn with repeats; two texts' halves make a third, so that there is nothing to skip as a repeat."""
    texts = [text for file in sorted((folder / "play-reviews").glob("*.csv.gz")) for text in column(file, "text")]
    texts += column(folder / "banking77" / "train.csv.gz", "text")
    rng = np.random.default_rng(7)
    one, two = rng.integers(0, len(texts), (2, count)).tolist()
    made = [f"{texts[a]} {texts[b].split()[0] if texts[b].split() else ''}" for a, b in zip(one, two, strict=True)]
    with Clock() as clock:
        found = find_themes(made)
    print(
        f"{count:,} texts ({len(distinct(made).read):,} different): {len(found.themes)} themes, {found.left_over:,} left over,"
        f" {clock.clock:.1f} s, {clock.processor:.1f} s processor"
    )


def main() -> None:
    wanted = argparse.ArgumentParser()
    wanted.add_argument("folder", type=Path, nargs="?", default=os.environ.get("WHYTREE_TEST_DATA"))
    wanted.add_argument("--semantic", action="store_true")
    wanted.add_argument("--large", type=int, nargs="*", default=[10_000, 100_000])
    chosen = wanted.parse_args()
    if chosen.folder is None:
        print(
            "Give the folder with banking77 and play-reviews, or set WHYTREE_TEST_DATA to it; nothing is shipped to measure with."
        )
        return
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for part in ("test", "train"):
        file = chosen.folder / "banking77" / f"{part}.csv.gz"
        measure(part, column(file, "text"), column(file, "category"), chosen.semantic)
    for count in chosen.large:
        large(chosen.folder, count)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
