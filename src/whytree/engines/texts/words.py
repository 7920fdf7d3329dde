"""Words in text: what a search asks for, where it stands in a text, and the part worth showing.

    query = parse_query('refund "phone number" -ios')
    excerpt(text, query)          # [Piece("… asked for my ", False), Piece("phone number", True), ...]

Case and accents never matter: both sides are folded. A word finds every word that begins with it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

MAX_TERMS = 12
"""More words than this make no search better; they only make it slow."""

MAX_SEARCHED = 20_000
"""Characters of a text in which matches are marked."""

# Letters and digits; the underscore parts words, as it does for the databases' own indexes.
_WORD = re.compile(r"[^\W_]+")
_LETTER = re.compile("(?s:.)[\u0300-\u036f]*")
_MARKS = re.compile("[\u0300-\u036f]+")  # those that make no letter with the one before
_ACCENTED = re.compile("([\x00-\x7f])[\u0300-\u036f]+")
_PART = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')

# Scripts written without spaces: a "word" there is a whole sentence, so its middle has to be found too.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Term:
    """Folded words that have to stand next to each other; the last one may go on unless it `is_whole`."""

    words: tuple[str, ...]
    exact: bool = False
    excluded: bool = False

    @property
    def is_whole(self) -> bool:
        """It was quoted, or ends with one Latin letter or digit: with each of those half of all texts have words."""
        return self.exact or (len(self.words[-1]) == 1 and self.words[-1].isascii())


@dataclass(frozen=True, slots=True)
class Query:
    """What a person typed into a search box, as far as it can be searched for."""

    terms: tuple[Term, ...] = ()

    @property
    def wanted(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if not term.excluded)

    @property
    def is_empty(self) -> bool:
        return not self.wanted


class Piece(NamedTuple):
    """A part of a text that is shown, marked or not."""

    text: str
    marked: bool


def parse_query(typed: str) -> Query:
    """The terms in what was typed; anything else in it (operators, brackets, stray quotes) means nothing."""
    terms: list[Term] = []
    for match in _PART.finditer(typed):
        quoted = match["phrase"] is not None
        words = tuple(_WORD.findall(fold(match["phrase"] if quoted else match["word"])))
        if words:
            terms.append(Term(words, exact=quoted, excluded=match["minus"] is not None))
    return Query(tuple(terms[:MAX_TERMS]))


def is_unspaced(text: str) -> bool:
    """Whether the text has letters of a script that is written without spaces."""
    return _UNSPACED.search(text) is not None


def fold(text: str) -> str:
    """Lower case, Latin letters without accents: `ÉTÉ` is `ete`. As SQLite's own folding does, and no further.

    `ß` is not `ss`, and other alphabets keep their marks: without them й would be и, another letter.
    """
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFD", text.lower().replace("ς", "σ"))
    return _MARKS.sub("", unicodedata.normalize("NFC", _ACCENTED.sub(r"\1", apart)))


def _fold_with_places(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for each of its characters the place in `text` where it comes from."""
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    folded: list[str] = []
    places: list[int] = []
    for letter in _LETTER.finditer(text):
        part = fold(letter[0])
        folded.append(part)
        places.extend([letter.start()] * len(part))
    places.append(len(text))
    return "".join(folded), places


def find_spans(text: str, query: Query) -> list[tuple[int, int]]:
    """Where the wanted terms stand in `text`: (start, end), in order, none overlapping."""
    folded, places = _fold_with_places(text[:MAX_SEARCHED])
    spans = [
        (places[match.start()], places[match.end()])
        for term in query.wanted
        for match in _pattern(term).finditer(folded)
    ]
    return merge_spans(spans)


def _pattern(term: Term) -> re.Pattern[str]:
    joined = r"[\W_]+".join(map(re.escape, term.words))
    if is_unspaced(joined):
        return re.compile(joined)
    return re.compile(rf"(?<![^\W_]){joined}" + (r"(?![^\W_])" if term.is_whole else r"[^\W_]*"))


def merge_spans(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same places as spans that do not overlap, in order."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


def pieces(text: str, spans: Sequence[tuple[int, int]]) -> list[Piece]:
    """`text` cut at the spans, for a template to mark them; joined again the pieces are the text."""
    cut: list[Piece] = []
    place = 0
    for start, end in spans:
        cut += [Piece(text[place:start], False), Piece(text[start:end], True)]
        place = end
    cut.append(Piece(text[place:], False))
    return [piece for piece in cut if piece.text]


def excerpt(text: str, query: Query, *, width: int = 180) -> list[Piece]:
    """The first `width` characters around the first match, matches marked; the beginning when nothing matches."""
    spans = [] if query.is_empty else find_spans(text, query)
    start = _start(text, spans[0][0] - width // 4) if spans and spans[0][1] > width else 0
    end = min(len(text), start + width)
    if end < len(text):
        end = max(text.rfind(" ", start, end), end - 20)
    inside = [(max(a, start) - start, min(b, end) - start) for a, b in spans if a < end and b > start]
    shown = pieces(text[start:end], inside)
    before, after = [Piece("… ", False)] * (start > 0), [Piece(" …", False)] * (end < len(text))
    return [*before, *shown, *after]


def _start(text: str, near: int) -> int:
    """The beginning of a word at or after `near`."""
    space = text.find(" ", near, near + 20)
    return space + 1 if space >= 0 else near


def cut(text: str, size: int) -> str:
    """At most `size` characters, with … where some were left out."""
    return text if len(text) <= size else text[: size - 1].rstrip() + "…"
