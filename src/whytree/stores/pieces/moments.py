"""What was so when an event happened: the session it lay in, what was known *then* of its person and of their company.

All are stretches of somebody's time, `who`, `since` and a `value` that holds until the next one; each event is given the
stretch it falls into (ASOF join), so nothing is stored and a late event or a merge is right at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from .cohorts import AT
from .companies import ID, NAME, TOLD
from .filters import Bound, Filter, positive, text_condition
from .sql import INTERNAL_EVENTS, PERSON

SessionField = Literal["seconds", "events", "pages", "entry", "exit", "bounced"]
SESSION_FIELDS: tuple[SessionField, ...] = get_args(SessionField)

# A row for every event that is asked about. What happened is one number, in the order of time: its moment above, its id, a
# bit for a page and one for being asked about; the engine sorts pairs many times more slowly, so only paths stand beside it.
_OF_SESSIONS = f"""
SELECT arrayJoin(arrayMap(one -> toUInt64(bitShiftRight(one, 2)), arrayFilter(one -> bitAnd(one, 1) = 1, {{piece}}))) AS event_id,
    {{value}} AS value
FROM (
    SELECT {{row}} AS happened,
        arrayMap(one -> toInt64(bitShiftRight(one, 66)), {{numbers}}) AS times,
        arrayMap((time, pause) -> pause > {{idle}}, times, arrayDifference(times)) AS begins,
        arrayJoin(arraySplit((one, starts) -> starts, happened, begins)) AS piece
    FROM (
        SELECT {PERSON} AS who, path, bitShiftLeft(toUInt128({AT}), 66) + bitShiftLeft(toUInt128(event_id), 2)
            + bitShiftLeft(toUInt128(event IN ('$pageview', '$screen')), 1) + toUInt128({{asked}}) AS number
        FROM events
        WHERE product = {{product}} AND event NOT IN {{internal}}
    )
    GROUP BY who
)
WHERE value != ''
"""
_NUMBERS = "arraySort(groupArray(number))"
_WITH_PATHS = "arraySort(pair -> pair.1, groupArray((number, toString(path))))"
_SECONDS = "(toInt64(bitShiftRight(piece[-1], 66)) - toInt64(bitShiftRight(piece[1], 66))) / 1000"
_VALUES: dict[SessionField, str] = {
    "seconds": f"toString({_SECONDS})",
    "events": "toString(length(piece))",
    "pages": "toString(arrayCount(one -> bitAnd(one, 2) = 2, piece))",
    "entry": "piece[1].2",
    "exit": "piece[-1].2",
    "bounced": "if(length(piece) = 1, 'true', 'false')",
}
# Sessions told apart by their very seconds would be a group each.
LENGTHS = {10: "under 10 s", 60: "10 s to 1 min", 600: "1 to 10 min", 1800: "10 to 30 min"}
LONGEST = "30 min or longer"
_UP_TO = ", ".join(f"{_SECONDS} < {most}, '{name}'" for most, name in LENGTHS.items())
_LENGTHS = f"multiIf({_UP_TO}, '{LONGEST}')"

# What Segment's identify says are its own properties, PostHog says `$set` and `$set_once` on any event. The latter counts
# only where nobody had said anything before.
_KNOWN = """
SELECT who, since, argMax(said, event_id) AS value
FROM (
    SELECT who, moment.1 AS since, moment.2 AS event_id, if(moment.3 != '', moment.3, moment.4) AS said
    FROM (
        SELECT who, arraySort(groupArray((timestamp, event_id, said, once))) AS told,
            arrayJoin(arrayFilter((moment, at) -> moment.3 != '' OR at = 1, told, arrayEnumerate(told))) AS moment
        FROM (
            SELECT {person} AS who, timestamp, event_id, properties[{once}] AS once,
                multiIf(properties[{set}] != '', properties[{set}],
                    event = '$identify' AND properties['$lib'] = '', properties[{plain}], '') AS said
            FROM events
            WHERE product = {product} AND (said != '' OR once != '')
        )
        GROUP BY who
    )
)
GROUP BY who, since
"""

_OF_EVENTS = """
SELECT happened.event_id AS event_id, told.value AS value
FROM (SELECT event_id, {person} AS who, timestamp FROM events WHERE product = {product}{among}) AS happened
ASOF JOIN ({stretches}) AS told ON happened.who = told.who AND happened.timestamp >= told.since
WHERE told.value != ''
"""

# Whose people's events said a company: one row where it became another one, so that clients which say it with every event
# do not make a stretch of each. At one moment the larger id holds.
_BELONGED = """
SELECT who, moment.1 AS since, argMax(moment.3, moment.2) AS value
FROM (
    SELECT {person} AS who,
        arrayJoin(arrayCompact(said -> said.3, arraySort(groupArray((timestamp, event_id, company_said))))) AS moment
    FROM events
    WHERE product = {product} AND company_said != ''
    GROUP BY who
)
GROUP BY who, since
"""
# What was said of each company, in `SELECT company, since, value`.
_TOLD_OF = """
SELECT company_said AS company, timestamp AS since, argMax(said, event_id) AS value
FROM (SELECT company_said, timestamp, event_id, {told} AS said FROM events PREWHERE event IN ('$group', '$groupidentify')
    WHERE product = {product} AND company_said != '' AND said != '')
GROUP BY company, since
"""
# An event is of the company that it says, else of the one its person's events had said last.
_COMPANIES = """
SELECT happened.event_id AS event_id, happened.timestamp AS timestamp,
    toString(if(happened.own != '', happened.own, belonged.value)) AS company
FROM (SELECT event_id, {person} AS who, timestamp, company_said AS own FROM events WHERE product = {product}{among})
    AS happened
ASOF LEFT JOIN ({belonged}) AS belonged ON happened.who = belonged.who AND happened.timestamp >= belonged.since
"""
_OF_COMPANIES = """
SELECT known.event_id AS event_id, {value} AS value
FROM ({companies}) AS known
ASOF LEFT JOIN ({told}) AS told ON known.company = told.company AND known.timestamp >= told.since
WHERE known.company != '' AND value != ''
"""


@dataclass(frozen=True)
class InSession:
    """A field of the session that an event lies in. Who somebody is and which variant they met lies in none.

    `events`: it is asked of these alone, so the others need not be told; empty for all. `in_lengths`: seconds as one of
    five lengths, to tell groups apart by.
    """

    product_id: int
    field: SessionField
    idle_minutes: int
    events: tuple[str, ...] = ()
    in_lengths: bool = False

    @property
    def name(self) -> str:
        return self.field

    def of_events(self, bound: Bound) -> str:
        paths = self.field in ("entry", "exit")
        return _OF_SESSIONS.format(
            value=_LENGTHS if self.in_lengths and self.field == "seconds" else _VALUES[self.field],
            row=_WITH_PATHS if paths else _NUMBERS,
            numbers="happened.1" if paths else "happened",
            piece="piece.1" if paths else "piece",
            asked=f"event IN {bound.add('Array(String)', list(self.events))}" if self.events else "1",
            idle=bound.add("Int64", self.idle_minutes * 60_000),
            product=bound.add("UInt32", self.product_id),
            internal=bound.add("Array(String)", list(INTERNAL_EVENTS)),
        )

    def text_sql(self, bound: Bound) -> str:
        """As an expression on a row of `events`."""
        if self.field == "bounced":
            return _one_of(("true", "false"), self.of_events(bound))
        if self.field == "seconds" and self.in_lengths:
            return _one_of((*LENGTHS.values(), LONGEST), self.of_events(bound))
        return _of_row(self.of_events(bound))


@dataclass(frozen=True)
class _Then(ABC):
    """A trait as it was known when an event happened; `events` as of `InSession`."""

    product_id: int
    trait: str
    events: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.trait

    @abstractmethod
    def of_events(self, bound: Bound) -> str:
        """Rows of (event_id, value)."""

    def text_sql(self, bound: Bound) -> str:
        """As an expression on a row of `events`."""
        return _of_row(self.of_events(bound))


@dataclass(frozen=True)
class KnownThen(_Then):
    """What was known of its person when an event happened: the newest that their events had said up to then."""

    def of_events(self, bound: Bound) -> str:
        product = bound.add("UInt32", self.product_id)
        stretches = _KNOWN.format(
            person=PERSON,
            product=product,
            plain=bound.add("String", self.trait),
            set=bound.add("String", f"$set.{self.trait}"),
            once=bound.add("String", f"$set_once.{self.trait}"),
        )
        return _of_events(stretches, product, _among(self.events, bound))


@dataclass(frozen=True)
class CompanyThen(_Then):
    """What was known of its company when an event happened, and which one that was: `id` is its key, `name` its name or key."""

    def of_events(self, bound: Bound) -> str:
        product = bound.add("UInt32", self.product_id)
        belonged = _BELONGED.format(person=PERSON, product=product)
        companies = _COMPANIES.format(
            person=PERSON, product=product, among=_among(self.events, bound), belonged=belonged
        )
        if self.trait == ID:
            return f"SELECT event_id, company AS value FROM ({companies}) WHERE company != ''"
        plain, as_set = bound.add("String", self.trait), bound.add("String", f"$group_set.{self.trait}")
        told = _TOLD_OF.format(product=product, told=TOLD.format(plain=plain, set=as_set))
        value = "if(told.value = '', known.company, told.value)" if self.trait == NAME else "told.value"
        return _OF_COMPANIES.format(companies=companies, told=told, value=value)


Moment = InSession | KnownThen | CompanyThen


@dataclass(frozen=True, kw_only=True)
class WasSo(Filter):
    """A filter on what was so when an event happened, which is not on its row: `told` knows it."""

    told: Moment

    def sql(self, bound: Bound) -> str:
        so, inside = positive(self)
        wanted = text_condition("value", so, bound)
        within = "IN" if inside else "NOT IN"
        return f"(event_id {within} (SELECT event_id FROM ({self.told.of_events(bound)}) WHERE {wanted}))"


def _of_events(stretches: str, product: str, among: str) -> str:
    """A row for each of those events that has a value."""
    return _OF_EVENTS.format(person=PERSON, product=product, among=among, stretches=stretches)


def _among(events: tuple[str, ...], bound: Bound) -> str:
    return f" AND event IN {bound.add('Array(String)', list(events))}" if events else ""


def _of_row(values: str) -> str:
    """The value of a row's event, looked up among those of all, which are found once."""
    # no event has the id 0: the lists may not be empty
    pairs = (
        "(SELECT (arrayConcat([toUInt64(0)], groupArray(event_id)), arrayConcat([''], groupArray(value))) "
        f"FROM ({values}))"
    )
    return f"transform(event_id, tupleElement({pairs}, 1), tupleElement({pairs}, 2), '')"


def _one_of(texts: Sequence[str], values: str) -> str:
    """The value of a row's event where it can only be one of a few: the engine makes a set of `values` once for all of them.

    Two million events need a third of the memory that a look-up in two lists takes.
    """
    known = ", ".join(f"(event_id, '{text}') IN ({values}), '{text}'" for text in texts)
    return f"multiIf({known}, '')"
