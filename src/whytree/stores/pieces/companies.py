"""Companies: which one an event and a person belong to, and what is known of it. Read from the events themselves.

An event says its company as `$groups.company` (PostHog's clients, on every event); a person's is the newest that any of
their events said, or that was said by Segment's `group` or PostHog's `$groupidentify`, which also tell what is known of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .cohorts import AT
from .filters import Bound, Filter, Selection, is_named, named, text_condition
from .sql import PERSON

#: The key that a company goes by, and what it is called: its key where nobody said.
ID, NAME = "id", "name"

# `company_said` is a column that the engine makes of each event (`schema.py`): reading it takes a tenth of what
# looking into the properties takes. The newest that was said holds; of two at one moment the one with the larger id, so that
# it is the same every time. Both are one number, because the engine compares pairs four times as slowly.
_NEWNESS = f"bitShiftLeft(toUInt128({AT}), 64) + event_id"

_OF_PEOPLE = f"""
SELECT {PERSON} AS who, toString(argMax(company_said, {_NEWNESS})) AS company
FROM events
PREWHERE company_said != ''
WHERE product = {{product}}{{among}}
GROUP BY who
"""

# Most events say their company. Whose company is needed is told by those that do not, which is read much more quickly than
# everybody's newest: where each says it, nothing is looked up.
_AMONG = (
    f" AND who IN (SELECT {PERSON} FROM events PREWHERE {{named}} AND company_said = '' WHERE product = {{product}})"
)

#: A trait as Segment's `group` tells it of a company, and as PostHog's `$groupidentify` does.
TOLD = "if(event = '$group', properties[{plain}], properties[{set}])"

_KNOWN = f"""
SELECT toString(company_said) AS told, argMax(said, newness) AS trait
FROM (
    SELECT {_NEWNESS} AS newness, company_said, {TOLD} AS said
    FROM events
    PREWHERE event IN ('$group', '$groupidentify')
    WHERE product = {{product}} AND company_said != ''
)
WHERE said != ''
GROUP BY told
"""


@dataclass(frozen=True)
class InCompanies:
    """People whose company is such a one now: `wanted.field` is a trait of it, `id` its key, `name` its name or key."""

    wanted: Filter

    def sql(self, product_id: int, bound: Bound) -> str:
        condition = text_condition("value", self.wanted, bound)
        return f"SELECT who FROM ({_value_sql(product_id, self.wanted.field, bound)}) WHERE {condition}"


@dataclass(frozen=True)
class CompanyTrait:
    """Tells groups apart by a trait of the company that a person belongs to now; empty where there is none."""

    product_id: int
    trait: str

    @property
    def name(self) -> str:
        return self.trait

    def text_sql(self, bound: Bound) -> str:
        """As an expression on a row of `events`."""
        return _of_person(_value_sql(self.product_id, self.trait, bound))


@dataclass(frozen=True)
class Companies:
    """Counted in place of people. An event is of the company that it says, else of the one its person belongs to now."""

    product_id: int


Unit = Companies | None


def unit_sql(unit: Unit, bound: Bound, did: Sequence[Selection] = ()) -> str:
    """Whom an event is counted for: a person, or a company's key, empty where there is none.

    `did` are the only events it is asked of; without, it is right of all.
    """
    if unit is None:
        return PERSON
    person = _of_person(_value_sql(unit.product_id, ID, bound, did))
    return f"if(company_said != '', toString(company_said), {person})"


def has_unit(unit: Unit) -> str:
    """A condition, beginning with AND, that leaves out what belongs to no company; `who` is what `unit_sql` is called there."""
    return "" if unit is None else " AND who != ''"


def _value_sql(product_id: int, trait: str, bound: Bound, did: Sequence[Selection] = ()) -> str:
    """A row for everybody who has a company: `who`, and the `value` of its trait now; with `did`, for who may need it there."""
    product = bound.add("UInt32", product_id)
    among = _AMONG.format(named=is_named(Selection(tuple(named(did))), bound), product=product) if did else ""
    people = _OF_PEOPLE.format(product=product, among=among)
    if trait == ID:
        return f"SELECT who, company AS value FROM ({people})"
    plain, as_set = bound.add("String", trait), bound.add("String", f"$group_set.{trait}")
    traits = _KNOWN.format(plain=plain, set=as_set, product=product)
    value = "if(trait = '', company, trait)" if trait == NAME else "trait"
    return f"SELECT who, {value} AS value FROM ({people}) AS people LEFT JOIN ({traits}) AS traits ON company = told"


def _of_person(values: str) -> str:
    """The value of a row's person, looked up among those of everybody, which are found once."""
    pairs = (
        f"(SELECT (arrayConcat([toUInt64(0)], groupArray(who)), arrayConcat([''], groupArray(value))) FROM ({values}))"
    )
    return f"transform({PERSON}, tupleElement({pairs}, 1), tupleElement({pairs}, 2), '')"
