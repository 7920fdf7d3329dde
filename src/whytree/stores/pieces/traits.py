"""What is known of people, to tell groups apart by."""

from dataclasses import dataclass

from .filters import Bound, Filter, text_condition
from .sql import PERSON


@dataclass(frozen=True)
class PeopleTrait:
    """`values[i]` is what is known of `persons[i]`, a hash after ids were joined; of all others nothing is."""

    name: str
    persons: tuple[int, ...]
    values: tuple[str, ...]

    def text_sql(self, bound: Bound) -> str:
        """As an expression on a row of `events`."""
        # nobody has the hash 0: the lists may not be empty
        persons = bound.add("Array(UInt64)", [0, *self.persons])
        values = bound.add("Array(String)", ["", *self.values])
        return f"transform({PERSON}, {persons}, {values}, '')"


@dataclass(frozen=True)
class WithTrait:
    """People of whom what is known is what the filter wants."""

    known: PeopleTrait
    wanted: Filter

    def sql(self, product_id: int, bound: Bound) -> str:
        persons = bound.add("Array(UInt64)", list(self.known.persons))
        values = bound.add("Array(String)", list(self.known.values))
        condition = text_condition("known.2", self.wanted, bound)
        return (
            f"SELECT known.1 AS who FROM (SELECT arrayJoin(arrayZip({persons}, {values})) AS known) WHERE {condition}"
        )
