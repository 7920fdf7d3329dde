"""Take words that only somebody forgotten had said out of the names of themes. What others of a theme say, too, stays."""

from collections.abc import Iterator, Sequence

from django.db.models import Q

from whytree.engines.themes.labels import label_of, words_of
from whytree.engines.themes.texts import MOST_READ, plain_text
from whytree.voice.models import FeedbackItem
from whytree.workspace.models import Activity, Product

from .models import NO_COMMON_WORD, Theme, ThemeRun


def forget_in_themes(product: Product, items: Sequence[int], tombstone: str) -> None:
    """`items` have lost their words already, for `tombstone`. The next look names the themes anew."""
    theirs = Q(memberships__item__in=items) | Q(moved_here__item__in=items)
    themes = list(Theme.objects.filter(theirs, product=product).distinct())
    for theme in themes:
        said = _still_said(theme, tombstone)
        if said == theme.terms:
            continue
        theme.terms = said
        if not theme.split_off:  # its label is a person's
            theme.label = label_of(said, "") or NO_COMMON_WORD
        theme.save(update_fields=["terms", "label"])
    # Of earlier looks, too.
    told = Activity.objects.filter(subject_type=Theme._meta.label, subject_id__in=[theme.pk for theme in themes])
    told.update(before=None, after=None, undoable=False)
    if themes:
        ThemeRun.objects.filter(product=product).update(newest_item=0)


def _still_said(theme: Theme, tombstone: str) -> list[str]:
    """Its telling words and phrases that somebody in it said whose words are here, in their order."""
    missing = set(theme.terms)
    for text in _texts(theme, tombstone):
        if not missing:
            break
        words = f" {' '.join(words_of(plain_text(text)))} "
        missing = {term for term in missing if f" {term} " not in words}
    return [term for term in theme.terms if term not in missing]


def _texts(theme: Theme, tombstone: str) -> Iterator[str]:
    inside = Q(theme_membership__theme=theme) | Q(theme_membership__moved_to=theme)
    items = FeedbackItem.objects.filter(inside, product=theme.product_id).exclude(text=tombstone)
    texts = items.order_by("-theme_membership__near").values_list("text", flat=True)
    return (text[:MOST_READ] for text in texts.iterator(chunk_size=200))
