"""Where a form hurts: what is told of forms and their fields, counted in people.

whytree.js sends `$form_shown`, `$form_started`, `$form_submitted` and `$form_left` of a form, and one `$form_field` for
each field and visit: how often it was focused, changed, corrected (changed again) and refused, the seconds in it, and
whether the person left the form there. Any other event with a property `field` counts too, as somebody who filled it in:
it says nothing of corrections and of leaving.
"""

from dataclasses import dataclass
from datetime import datetime

from ..events import store
from ..pieces.sql import ASKING, PERSON

TIMED_MOST = 100_000  # visits whose seconds are ranked; of more, a sample


@dataclass(frozen=True, slots=True)
class FormMet:
    """A form ("" when events do not say which) and how many people came how far with it."""

    form: str
    path: str  # where most people met it
    fields: int
    people: int
    shown: int
    started: int
    submitted: int
    left: int
    seconds: float | None  # median from the first focus to the end
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class FieldMet:
    """A field of a form, in its order. Numbers are people; `timed` are visits, whose median lies between low and high.

    `position` is where it stands on average: some may be spared the field before it. `told` are visits that say how it
    went; without any, what was changed, corrected, refused and left is not known.
    """

    field: str
    position: int
    told: int
    shown: int
    reached: int
    corrected: int
    refused: int
    left: int
    corrections: int
    errors: int
    seconds: float | None
    low: float | None
    high: float | None
    timed: int
    events: tuple[str, ...]  # that tell of it, at most ten


_IN_PERIOD = """product = {product:UInt32} AND timestamp >= {start:DateTime64(3, 'UTC')}
    AND timestamp < {end:DateTime64(3, 'UTC')}"""
_OF_A_FORM = "('$form_shown', '$form_started', '$form_submitted', '$form_left')"
_ENDED = "event IN ('$form_submitted', '$form_left')"

_FORMS = f"""
SELECT form, topKIf(1)(path, path != '')[1] AS path,
    toUInt32(greatest(maxIf(toUInt32OrZero(properties['fields']), event = '$form_shown'), uniqExactIf(field, field != ''))) AS fields,
    uniqExact(who) AS people,
    uniqExactIf(who, event = '$form_shown') AS shown,
    uniqExactIf(who, event = '$form_started') AS started,
    uniqExactIf(who, event = '$form_submitted') AS submitted,
    uniqExactIf(who, event = '$form_left') AS left,
    quantileExactIfOrNull(0.5)(toFloat64OrZero(properties['form_seconds']), {_ENDED}) AS seconds,
    max(timestamp) AS last_seen
FROM (
    SELECT event, {PERSON} AS who, timestamp, path, properties,
        properties['form'] AS form, properties['field'] AS field
    FROM events
    WHERE {_IN_PERIOD} AND (event IN {_OF_A_FORM} OR properties['field'] != '')
)
WHERE length(form) <= 200 AND (form != '' OR field != '')
GROUP BY form
ORDER BY people DESC, form
LIMIT {{limit:UInt32}}
"""


def forms_met(product: int, start: datetime, end: datetime, limit: int = 200) -> list[FormMet]:
    """The forms that people met in this time, those of most people first."""
    parameters = {"product": product, "start": start, "end": end, "limit": limit}
    rows = store().query(_FORMS, parameters, ASKING)
    return [FormMet(**row) for row in rows]


# The interval of the median lies between two of the sorted values, by their ranks (normal approximation of the
# binomial; Conover, Practical Nonparametric Statistics, 3rd edition, 3.2).
_FIELDS = f"""
SELECT field, avgIf(stands, stands > 0) AS place, toUInt32(if(isNaN(place), 0, least(ceil(place), 10000))) AS position,
    countIf(told_here) AS told,
    uniqExact(who) AS shown,
    uniqExactIf(who, reached_here) AS reached,
    uniqExactIf(who, corrections_here > 0) AS corrected,
    uniqExactIf(who, errors_here > 0) AS refused,
    uniqExactIf(who, left_here) AS left,
    toUInt64(sum(corrections_here)) AS corrections, toUInt64(sum(errors_here)) AS errors,
    countIf(is_timed) AS timed,
    arraySort(groupUniqArray(10)(event)) AS events,
    arraySort(groupArraySampleIf({TIMED_MOST}, 1)(spent, is_timed)) AS sorted,
    length(sorted) AS n,
    if(n = 0, NULL, sorted[intDiv(n + 1, 2)]) AS seconds,
    if(n < 6, NULL, sorted[greatest(1, toInt64(floor((n - 1.96 * sqrt(n)) / 2)))]) AS low,
    if(n < 6, NULL, sorted[least(toInt64(n), toInt64(ceil(1 + (n + 1.96 * sqrt(n)) / 2)))]) AS high
FROM (
    SELECT event, properties['field'] AS field, {PERSON} AS who,
        event = '$form_field' AS told_here,
        toUInt32OrZero(properties['position']) AS stands,
        NOT told_here OR toUInt32OrZero(properties['focused']) + toUInt32OrZero(properties['changed']) > 0 AS reached_here,
        if(told_here, toUInt32OrZero(properties['corrected']), 0) AS corrections_here,
        if(told_here, toUInt32OrZero(properties['errors']), 0) AS errors_here,
        told_here AND properties['left'] = 'true' AS left_here,
        ifNull(toFloat64OrNull(properties['seconds']), -1) AS spent,
        spent >= 0 AND isFinite(spent) AS is_timed
    FROM events
    WHERE {_IN_PERIOD} AND properties['field'] != '' AND properties['form'] = {{form:String}}
)
WHERE field != '' AND length(field) <= 100
GROUP BY field
ORDER BY isNaN(place), place, reached DESC, field
LIMIT {{limit:UInt32}}
"""

_ON_THE_WAY = ("place", "n", "sorted")


def fields_met(product: int, form: str, start: datetime, end: datetime, limit: int = 200) -> list[FieldMet]:
    """The fields of one form, in the order in which they stand there."""
    parameters = {"product": product, "form": form, "start": start, "end": end, "limit": limit}
    rows = store().query(_FIELDS, parameters, ASKING)
    said = [{name: value for name, value in row.items() if name not in _ON_THE_WAY} for row in rows]
    return [FieldMet(**{**one, "events": tuple(one["events"])}) for one in said]
