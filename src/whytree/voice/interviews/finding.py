"""Talks by the words that were said in them, or by what these mean, with the line where that was said."""

from dataclasses import dataclass, replace

from django.db.models import QuerySet
from django.urls import reverse

from whytree.engines.texts.words import Piece, Query, excerpt, find_spans
from whytree.voice.finding.search import talks_matching
from whytree.voice.meaning.nearby import near_talks
from whytree.voice.meaning.talks import stamp_of
from whytree.voice.models import Interview, Transcript
from whytree.workspace.models import Product

LONGEST = 400
"""Characters that are looked at for what is shown."""


@dataclass(frozen=True)
class Talk:
    """A talk in which all the words were said; `line` (from 1) holds most of them.

    `by_meaning`: it lacks the words, and a machine finds that what is said from `line` on means something like them.
    """

    interview: Interview
    line: int
    speaker: str
    shown: list[Piece]
    by_meaning: bool = False

    @property
    def url(self) -> str:
        place = reverse("interview", args=[self.interview.product.slug, self.interview.number])
        return f"{place}#line-{self.line}" if self.line else place


def talks_with(product: Product, query: Query, *, limit: int, only_words: bool = False) -> list[Talk]:
    """Those with the words, the best match first, then those that mean it. Both sides of a talk are searched: what was asked
    says what was talked about.
    """
    if query.is_empty:
        return []
    talks = Transcript.objects.filter(interview__product=product, interview__erased_at=None)
    talks = talks.select_related("interview__product")
    held = list(talks_matching(talks, query)[:limit])
    exact = only_words or any(term.exact for term in query.wanted)
    alike = [] if exact or len(held) == limit else _alike(product, talks, query, limit)
    known = {one.pk for one in held}
    return [*(_talk(one, query) for one in held), *(one for pk, one in alike if pk not in known)][:limit]


def _alike(product: Product, talks: QuerySet[Transcript], query: Query, limit: int) -> list[tuple[int, Talk]]:
    """Without those that hold a word that is not wanted, or whose words were changed since they were placed."""
    words = " ".join(" ".join(term.words) for term in query.wanted)
    near = near_talks(product, words, most=2 * limit)
    if not near:
        return []
    unwanted = [Query((replace(term, excluded=False),)) for term in query.terms if term.excluded]
    found = talks.in_bulk(list(near))
    return [
        (pk, _from_line(found[pk], line))
        for pk, (line, stamp) in near.items()
        if pk in found and stamp_of(found[pk]) == stamp and not any(find_spans(found[pk].text, one) for one in unwanted)
    ]


def _from_line(transcript: Transcript, line: int) -> Talk:
    begun = transcript.lines[line - 1]
    said = transcript.text[begun["start"] : begun["start"] + LONGEST]
    return Talk(transcript.interview, line, begun["speaker"], excerpt(said, Query()), by_meaning=True)


def _talk(transcript: Transcript, query: Query) -> Talk:
    lines = transcript.lines
    said = [transcript.text[line["start"] : line["end"]] for line in lines]
    held = [sum(bool(find_spans(text, Query((term,)))) for term in query.wanted) for text in said]
    best = max(range(len(said)), key=lambda at: held[at], default=-1)
    if best < 0 or not held[best]:
        return Talk(transcript.interview, 0, "", excerpt(transcript.text, query))
    return Talk(transcript.interview, best + 1, lines[best]["speaker"], excerpt(said[best], query))
