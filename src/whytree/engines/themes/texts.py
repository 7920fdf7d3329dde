"""The texts that are read: what is the same is read once, what says nothing is not read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whytree.engines.texts.words import fold

MOST_READ = 2_000
"""Characters of one text that are read. What it is about is said by then; a pasted log must not drown the others."""

_ADDRESS = re.compile(r"https?://\S+|\S+@\S+\.\S+")
_NUMBER = re.compile(r"\d[\d.,:/-]*")
_SPACE = re.compile(r"\s+")
_LETTERS = re.compile(r"[^\W\d_]{2}")


@dataclass(frozen=True)
class Distinct:
    """Texts without repeats. `read` is what is compared, `first` where each stood first, `of_text` which one each text is (or -1)."""

    read: list[str]
    first: NDArray[np.int64]
    of_text: NDArray[np.int64]

    @property
    def times(self) -> NDArray[np.int64]:
        """How often each was said."""
        return np.bincount(self.of_text[self.of_text >= 0], minlength=len(self.read)).astype(np.int64)


def distinct(texts: Sequence[str | None]) -> Distinct:
    """Sort out repeats. Case, accents, spaces, numbers and addresses make no difference: they tell people apart, not themes."""
    places: dict[str, int] = {}
    first: list[int] = []
    of_text = np.full(len(texts), -1, dtype=np.int64)
    for at, text in enumerate(texts):
        plain = plain_text(text) if text else ""
        if not _LETTERS.search(plain):
            continue
        if plain not in places:
            places[plain] = len(first)
            first.append(at)
        of_text[at] = places[plain]
    return Distinct(list(places), np.array(first, dtype=np.int64), of_text)


def plain_text(text: str) -> str:
    """The text as it is compared."""
    text = fold(text[:MOST_READ]).replace("’", "'")
    return _SPACE.sub(" ", _NUMBER.sub("0", _ADDRESS.sub(" ", text))).strip()
