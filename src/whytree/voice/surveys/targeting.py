"""Whether somebody on a page may be asked: drawn by share, in the cohort, met the variant, never twice, and rarely."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from whytree.analytics.cohorts.queries import is_in_cohort
from whytree.errors import Invalid, NotFound
from whytree.people.queries import find_person
from whytree.stores.errors import StoreUnavailable
from whytree.stores.pieces import cohorts as store
from whytree.stores.pieces.filters import Filter, Selection
from whytree.voice.contacts import is_left_alone
from whytree.workspace.models import Product

from .models import Survey
from .people import askings, ids_of


def surveys_for(
    product: Product, running: Sequence[Survey], ids: Sequence[str], origin: str
) -> list[tuple[Survey, bool]]:
    """Of these surveys those that this person may be asked, the oldest first; False: only once they belong or met the variant.

    `ids` are what the page calls them, the known one first.
    """
    now = timezone.now()
    allowed = [one for one in running if not one.closed_because(now) and (not one.origins or origin in one.origins)]
    if not allowed or not ids:
        return []
    names = ids_of(product, ids)
    key = names[0]
    drawn = [one for one in allowed if is_drawn(one, key)]
    if not drawn or is_left_alone(product, names):
        return []
    known = askings(product, names)
    found = []
    for survey in drawn:
        since = now - timedelta(days=survey.cooldown_days)
        if any(pk == survey.pk or at > since for pk, at in known):
            continue
        found.append((survey, belongs(survey, key)))
    return found


def is_drawn(survey: Survey, key: str) -> bool:
    """The same people every time, others for each survey: a hash of both."""
    text = f"{survey.pk}:{key}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") % 100 < survey.share


def belongs(survey: Survey, key: str) -> bool:
    """Whether they are of the cohort and met the variant. No while the event store does not answer: nobody is asked by mistake."""
    try:
        return _in_cohort(survey, key) and _met(survey, key)
    except (StoreUnavailable, NotFound, Invalid):
        return False


def _in_cohort(survey: Survey, key: str) -> bool:
    return not survey.cohort or is_in_cohort(survey.product, survey.cohort, key)


def _met(survey: Survey, key: str) -> bool:
    """Met means an exposure, not only that the flag would give it: what somebody never saw cannot be asked about."""
    if not survey.flag:
        return True
    filters = [Filter("flag", "is", (survey.flag,))]
    if survey.variant:
        filters.append(Filter("variant", "is", (survey.variant,)))
    person = find_person(survey.product, key)
    rule = store.Did(Selection(("$exposure",), tuple(filters)))
    return store.holds(survey.product_id, rule, person.persons, person.canonical)
