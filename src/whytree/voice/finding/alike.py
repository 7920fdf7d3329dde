"""Who said the same? Voices like a text, with a score and the words they share. Only suggested: a person merges.

    similar(product, "The CSV export loses my accents")     # [Similar(item=FB-12, likeness=Likeness(0.61, ("csv", "export")))]

The search index that is there anyway finds the candidates: those that hold one of the text's rarest words. Per text that
is at most `engines.texts.likeness.MOST_WORDS` look-ups of how many voices hold a word (each stops counting at `COMMON`), and one
of at most `MOST_RANKED` voices, of which `CANDIDATES` are compared word by word; with 200,000 voices no more than with
20,000. Texts in scripts without spaces have no words to look up, and get no suggestion.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Max

from whytree.engines.texts.likeness import Likeness, compare, stems, weight
from whytree.engines.texts.words import Query, Term, is_unspaced
from whytree.voice.finding.search import holding_any, how_many_hold
from whytree.voice.models import FeedbackItem
from whytree.voice.services import keys_of_group, main_of
from whytree.voice.services.erasing import TOMBSTONE
from whytree.workspace.models import Product

SUGGESTED = 0.4
"""Likeness from which on a voice is suggested. On banking77's test part three in four such pairs have one topic of 77."""

COMMON = 2_000
"""A word that more voices hold finds nobody in particular."""

MOST_RANKED = 6_000
CANDIDATES = 80
SHOWN = 3


@dataclass(frozen=True)
class Similar:
    """A voice that may say the same: how alike it is, and by which words."""

    item: FeedbackItem
    likeness: Likeness

    @property
    def query(self) -> Query:
        """The shared words, to be marked."""
        return Query(tuple(Term((word,)) for word in self.likeness.shared))


def similar(
    product: Product,
    text: str,
    *,
    but: Sequence[int] = (),
    limit: int = SHOWN,
    part: Callable[[str], str] = str,
) -> list[Similar]:
    """The voices most like `text`, the most alike first; `but` are primary keys that are not asked for.

    Only `part` of each voice is compared: a title with titles, where the words below would drown it.
    """
    mine = {stem: word for stem, word in stems(text).items() if not is_unspaced(stem)}
    if not mine:
        return []
    held = how_many_hold(mine, most=COMMON)
    total = FeedbackItem.objects.filter(product=product).aggregate(last=Max("number"))["last"] or 1
    weights = {stem: weight(number, max(total, number)) for stem, number in held.items()}
    found: dict[int, Similar] = {}
    for candidate in _candidates(product, _asked(held)):
        likeness = compare(mine, stems(part(candidate.text)), weights)
        if likeness.score < SUGGESTED:
            continue
        main = main_of(candidate)
        if main.pk in but or candidate.pk in but:
            continue
        if main.pk not in found or found[main.pk].likeness.score < likeness.score:
            found[main.pk] = Similar(main, likeness)
    return sorted(found.values(), key=lambda one: (-one.likeness.score, -one.item.pk))[:limit]


def similar_to(item: FeedbackItem, limit: int = SHOWN) -> list[Similar]:
    """The voices most like this one, but those that were merged with it; none for what was erased."""
    if item.text == TOMBSTONE:
        return []
    return similar(item.product, item.text, but=keys_of_group(item), limit=limit)


def _asked(held: Mapping[str, int]) -> list[str]:
    """The rarest words that others hold too, as many as find no more than can be ranked; nothing but common words says nothing."""
    asked: list[str] = []
    rows = 0
    for stem, number in sorted(held.items(), key=lambda one: one[1]):
        if number == 0 or number > COMMON or rows + number > MOST_RANKED:
            continue
        asked.append(stem)
        rows += number
    return asked


def _candidates(product: Product, asked: Sequence[str]) -> list[FeedbackItem]:
    if not asked:
        return []
    items = FeedbackItem.objects.filter(product=product).exclude(text=TOMBSTONE)
    return list(holding_any(items.select_related("product", "merged_into"), asked)[:CANDIDATES])
