"""Does searching by meaning find more of what is meant? Of the first ten found, how many have the topic asked for.

python benchmarks/search.py [FOLDER] [--semantic]

FOLDER holds `banking77/train.csv.gz` and `test.csv.gz` (text, category). All of the train part is searched: by the names of its
77 topics, as people type into a search box, and by 400 questions of the test part. Compared in the same run: all the words by SQLite's
FTS5 as the inbox asks it, meaning alone, and both by reciprocal rank fusion. Then one question to 200,000 places, in milliseconds of the
processor.
FOLDER is $WHYTREE_TEST_DATA where none is given.
"""

import argparse
import csv
import gzip
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from whytree.engines.meaning import DIMENSIONS, Embed, fuse, learn, nearest
from whytree.engines.texts.words import parse_query
from whytree.engines.themes.sentences import load_model
from whytree.voice.meaning.constants import LEAST_LIKE

SHOWN, FUSED = 10, 200
Find = Callable[[str], list[int]]


def rows(path: Path) -> list[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def by_words(texts: Sequence[str]) -> Find:
    base = sqlite3.connect(":memory:")
    base.execute(
        """CREATE VIRTUAL TABLE words USING fts5(text, tokenize="unicode61 remove_diacritics 2", prefix='2 3')"""
    )
    base.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", enumerate(texts))

    def find(typed: str) -> list[int]:
        asked = " AND ".join(f'"{word}"*' for term in parse_query(typed).wanted for word in term.words)
        found = base.execute("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?", (asked, FUSED))
        return [int(row[0]) for row in found]

    return find


def by_meaning(texts: Sequence[str], embed: Embed | None) -> Find:
    begun = time.process_time()
    space = learn(texts, embed)
    assert space is not None
    learnt = time.process_time()
    codes = space.codes(texts, embed)
    placed = time.process_time()
    print(
        f"  learning {learnt - begun:.1f} s, placing {len(texts):,} {placed - learnt:.1f} s, {len(space.to_bytes()) / 1e6:.1f} MB"
    )

    def find(typed: str) -> list[int]:
        at, like = nearest([codes], space.place(typed, embed), most=FUSED)
        return [int(one) for one, value in zip(at, like, strict=True) if value >= LEAST_LIKE]

    return find


def score(find: Find, asked: Sequence[tuple[str, str]], topics: Sequence[str]) -> float:
    return float(np.mean([sum(topics[at] == topic for at in find(typed)[:SHOWN]) / SHOWN for typed, topic in asked]))


def measure(folder: Path, embed: Embed | None) -> None:
    train, test = (rows(folder / "banking77" / f"{part}.csv.gz") for part in ("train", "test"))
    texts, topics = [text for text, _ in train], [topic for _, topic in train]
    names = [(topic.replace("_", " ").replace("?", ""), topic) for topic in sorted(set(topics))]
    drawn = np.random.default_rng(1).choice(len(test), 400, replace=False)
    questions = [test[at] for at in drawn.tolist()]
    words, meaning = by_words(texts), by_meaning(texts, embed)
    for name, find in {
        "all the words": words,
        "meaning": meaning,
        "both": lambda typed: fuse(words(typed), meaning(typed)),
    }.items():
        print(
            f"  {name:16} by a topic's name {score(find, names, topics):.3f}, by a question {score(find, questions, topics):.3f}"
        )


def scan(count: int = 200_000) -> None:
    rng = np.random.default_rng(2)
    codes = rng.integers(-127, 127, (count, DIMENSIONS), dtype=np.int8)
    place = rng.normal(size=DIMENSIONS).astype(np.float32)
    begun = time.process_time()
    for _ in range(10):
        nearest([codes], place, most=FUSED)
    print(
        f"  one question to {count:,} places: {(time.process_time() - begun) * 100:.1f} ms, {codes.nbytes / 1e6:.0f} MB"
    )


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("folder", type=Path, nargs="?", default=os.environ.get("WHYTREE_TEST_DATA"))
    wanted.add_argument("--semantic", action="store_true", help="by the packaged sentence model, too")
    chosen = wanted.parse_args()
    if chosen.folder is None:
        print("Give the folder with banking77, or set WHYTREE_TEST_DATA to it; nothing is shipped to measure with.")
        return
    print("from the words")
    measure(chosen.folder, None)
    scan()
    if chosen.semantic:
        print("by the sentence model")
        measure(chosen.folder, load_model().embed)


if __name__ == "__main__":
    main()
