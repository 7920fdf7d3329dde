"""Look for themes among all voices of a product again, and let each theme stay who it is."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from whytree.engines.themes import LEAST_TEXTS, Found, TooAlike, TooFew, find_with
from whytree.engines.themes.drawing import lay_out
from whytree.engines.themes.finding import Theme as FoundTheme
from whytree.engines.themes.matching import match
from whytree.engines.themes.sentences import NoModel
from whytree.voice.models import FeedbackItem
from whytree.voice.services.erasing import TOMBSTONE
from whytree.workspace.background.apart import run_apart
from whytree.workspace.models import Product
from whytree.workspace.records.activity import record
from whytree.workspace.records.numbering import next_numbers
from whytree.workspace.rights.actors import Actor

from .models import LABEL_LENGTH, NO_COMMON_WORD, Theme, ThemeMembership, ThemeRun, ThemeState

MOST_READ = 200_000
"""Voices that are read: the newest."""
CHUNK = 500
MOVED = 0.05
"""A voice's nearness is written anew when it changed by more; a run must not write every row for nothing."""

Find = Callable[[Sequence[str], str], Found]


def find_apart(texts: Sequence[str], model: str) -> Found:
    """In a process of its own: see `workspace.background.apart`."""
    return run_apart(find_with, list(texts), model)


@dataclass(frozen=True)
class Voices:
    """What is read: primary keys and texts, the newest last."""

    pks: list[int]
    texts: list[str]


def read_voices(product: Product) -> Voices:
    """The newest voices, without those that were erased."""
    items = FeedbackItem.objects.filter(product=product).exclude(text=TOMBSTONE).order_by("-pk")
    rows = list(items.values_list("pk", "text")[:MOST_READ])[::-1]
    return Voices([pk for pk, _ in rows], [text for _, text in rows])


def refresh_themes(run: ThemeRun, *, find: Find = find_apart) -> ThemeRun:
    """Carry out a run that was asked for. What stands in the way is told on the run, in a sentence."""
    begun = time.monotonic()
    voices = read_voices(run.product)
    model = settings.WHYTREE.sentence_model
    run.items, run.newest_item, run.by_meaning = len(voices.pks), voices.pks[-1] if voices.pks else 0, bool(model)
    try:
        found = find(voices.texts, model)
    except TooFew as error:
        return _ended(run, f"Themes need {LEAST_TEXTS} different voices; there are {error.count} by now.")
    except TooAlike as error:
        return _ended(run, f"All {error.count:,} voices say the same. There is nothing to tell apart.")
    except NoModel as error:
        return _ended(run, str(error)[:400], ThemeRun.State.FAILED)
    with transaction.atomic():
        _store(run.product, voices, found)
        run.themes, run.left_over = len(found.themes), found.left_over
        run.seconds = round(time.monotonic() - begun, 2)
        _ended(run, "")
        after = {"items": run.items, "themes": run.themes, "left_over": run.left_over}
        record(Actor.system(), run.product, "find_themes", run, after=after, undoable=False)
    return run


def _ended(run: ThemeRun, error: str, state: ThemeRun.State = ThemeRun.State.DONE) -> ThemeRun:
    run.state, run.error, run.finished_at = state, error, timezone.now()
    run.save()
    return run


def _store(product: Product, voices: Voices, found: Found) -> None:
    there = {
        item: membership
        for membership in ThemeMembership.objects.filter(item__product=product)
        for item in (membership.item_id,)
    }
    now = {pk: theme for pk, theme in zip(voices.pks, found.of_text, strict=True) if theme is not None}
    before = {item: membership.theme_id for item, membership in there.items() if membership.theme_id is not None}
    known = Theme.objects.filter(product=product, split_off=False).in_bulk()
    same = {new: known[old] for new, old in match(before, now).items() if old in known}
    themes = _themes(product, found, same, voices)
    near = dict(zip(voices.pks, found.near.tolist(), strict=True))
    _place({pk: themes[theme].pk for pk, theme in now.items()}, near, there)
    _forget(product, {theme.pk for theme in themes.values()})


def _themes(product: Product, found: Found, same: Mapping[int, Theme], voices: Voices) -> dict[int, Theme]:
    """Each theme found -> its row: the one it was before, or a new one."""
    rows = {row: same[theme.id] for row, theme in enumerate(found.themes) if theme.id in same}
    import numpy as np

    middles = np.stack([theme.middle for theme in found.themes]) if found.themes else np.zeros((0, 1), dtype=np.float32)
    places = lay_out(middles, {row: (theme.x, theme.y) for row, theme in rows.items()})
    fresh = [theme for row, theme in enumerate(found.themes) if row not in rows]
    numbers = (
        dict(zip((one.id for one in fresh), next_numbers(product, "THM", len(fresh)), strict=True)) if fresh else {}
    )
    result: dict[int, Theme] = {}
    for row, one in enumerate(found.themes):
        theme = rows.get(row) or Theme(product=product, number=numbers[one.id])
        theme.label = _label(one)
        theme.terms = list(one.terms)
        theme.quotes = [voices.pks[at] for at in one.quotes]
        theme.x, theme.y = (round(float(value), 4) for value in places[row])
        theme.save()
        result[one.id] = theme
    return result


def _label(found: FoundTheme) -> str:
    """Words that several people share. Never one person's sentence: a label outlives its voices, and consent to be quoted."""
    label = " · ".join(found.terms[:2]) or NO_COMMON_WORD if found.is_quoted else found.label
    return label[:LABEL_LENGTH]


def _place(now: Mapping[int, int], near: Mapping[int, float], there: Mapping[int, ThemeMembership]) -> None:
    """Every voice into its theme; where a person moved it stays as it is."""
    new = [
        ThemeMembership(item_id=item, theme_id=theme, near=near[item])
        for item, theme in now.items()
        if item not in there
    ]
    changed = []
    for item, membership in there.items():
        theme, value = now.get(item), near.get(item, 0.0)
        if membership.theme_id != theme or abs(membership.near - value) > MOVED:
            membership.theme_id, membership.near = theme, value
            changed.append(membership)
    ThemeMembership.objects.bulk_create(new, batch_size=CHUNK)
    ThemeMembership.objects.bulk_update(changed, ["theme", "near"], batch_size=CHUNK)
    alone = [one.pk for one in changed if one.theme_id is None and one.moved_to_id is None]
    for start in range(0, len(alone), CHUNK):
        ThemeMembership.objects.filter(pk__in=alone[start : start + CHUNK]).delete()


def _forget(product: Product, found: set[int]) -> None:
    """Themes that are found no more go, unless a person did something with them, or with another that hangs on them."""
    gone = Theme.objects.filter(
        product=product, name="", state=ThemeState.FOUND, joined_to=None, split_off=False, parts=None, moved_here=None
    )
    gone.exclude(pk__in=found).delete()
