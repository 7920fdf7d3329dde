"""Talks by the words that were said in them, with the line where they were said."""

from dataclasses import dataclass

from django.urls import reverse

from whytree.engines.text import Piece, Query, excerpt, find_spans
from whytree.voice.models import Interview, Transcript
from whytree.voice.search import talks_matching
from whytree.workspace.models import Product


@dataclass(frozen=True)
class Talk:
    """A talk in which all the words were said; `line` (from 1) holds most of them."""

    interview: Interview
    line: int
    speaker: str
    shown: list[Piece]

    @property
    def url(self) -> str:
        place = reverse("interview", args=[self.interview.product.slug, self.interview.number])
        return f"{place}#line-{self.line}" if self.line else place


def talks_with(product: Product, query: Query, *, limit: int) -> list[Talk]:
    """The best match first. Both sides of a talk are searched: what was asked says what was talked about."""
    if query.is_empty:
        return []
    talks = Transcript.objects.filter(interview__product=product, interview__erased_at=None)
    return [_talk(one, query) for one in talks_matching(talks.select_related("interview__product"), query)[:limit]]


def _talk(transcript: Transcript, query: Query) -> Talk:
    lines = transcript.lines
    said = [transcript.text[line["start"] : line["end"]] for line in lines]
    held = [sum(bool(find_spans(text, Query((term,)))) for term in query.wanted) for text in said]
    best = max(range(len(said)), key=lambda at: held[at], default=-1)
    if best < 0 or not held[best]:
        return Talk(transcript.interview, 0, "", excerpt(transcript.text, query))
    return Talk(transcript.interview, best + 1, lines[best]["speaker"], excerpt(said[best], query))
