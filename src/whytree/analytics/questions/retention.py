"""Retention as a question. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from whytree.errors import Invalid
from whytree.stores.pieces.filters import Selection
from whytree.stores.questions import retention

from .parts import checked_filters, checked_selection, label, selection_json
from .reading import by_words, checked_by, one_of, optional_json, whole_number, yes_or_no
from .when import ALL_THERE_IS, TIME, When

MOST_STRETCHES = 60
MOST_BRACKETS = 20
_INTERVALS: tuple[retention.Interval, ...] = get_args(retention.Interval)
_BACK: tuple[retention.Back, ...] = get_args(retention.Back)
_CLOCKS: tuple[retention.Clock, ...] = get_args(retention.Clock)


@dataclass(frozen=True)
class Retention:
    """Of those who began in one stretch of the calendar, how many came back in each later one."""

    begin: Selection
    back: Selection
    interval: retention.Interval = "week"
    first_time: bool = True
    how: retention.Back = "on"
    clock: retention.Clock = "calendar"
    brackets: tuple[tuple[int, int], ...] = ()
    stretches: int = 8
    when: When = ALL_THERE_IS
    by: tuple[str, ...] = ()
    kind: ClassVar = "retention"
    fields: ClassVar = {
        *("begin", "back", "interval", "first_time", "how", "clock", "brackets"),
        *("stretches", *TIME, "where", "by", "or_later"),
    }

    @property
    def sentence(self) -> str:
        first = "for the first time " if self.first_time else ""
        how = {
            "on": f"{self.interval} by {self.interval}",
            "later": f"that {self.interval} or later",
            "streak": f"every {self.interval} without a gap",
        }[self.how]
        clock = ", counted from each person's own beginning" if self.clock == "rolling" else ""
        if self.brackets:
            how = f"{self.interval}s " + ", ".join(bracket_words(one) for one in self.brackets)
        return f"people who did “{label(self.begin)}” {first}and “{label(self.back)}” again, {how}{clock}{by_words(self.by)}"

    @property
    def selections(self) -> tuple[Selection, ...]:
        return (self.begin, self.back)

    @property
    def spoken(self) -> tuple[str, ...]:
        return self.by

    @property
    def columns(self) -> tuple[tuple[int, int], ...]:
        """What the curve is made of: stretches from one to another, both of them in it."""
        return self.brackets or tuple((number, number) for number in range(self.stretches + 1))

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "Retention":
        where = checked_filters(raw.get("where", []))
        if "begin" not in raw:
            raise Invalid("A retention has a “begin”: the event that people begin with.")
        begin = checked_selection(raw["begin"], where)
        later = yes_or_no(raw, "or_later", usual=False)
        brackets = _brackets(raw.get("brackets", []))
        found = cls(
            begin=begin,
            back=checked_selection(raw["back"], where) if raw.get("back") else begin,
            interval=one_of(raw.get("interval", "week"), "interval", _INTERVALS),
            first_time=yes_or_no(raw, "first_time", usual=True),
            how=one_of(raw.get("how", "later" if later else "on"), "how", _BACK),
            clock=one_of(raw.get("clock", "calendar"), "clock", _CLOCKS),
            brackets=brackets,
            stretches=brackets[-1][1] if brackets else whole_number(raw, "stretches", 1, MOST_STRETCHES, 8),
            when=When.of(raw),
            by=checked_by(raw.get("by", "")),
        )
        if found.brackets and found.how == "streak":
            raise Invalid("A streak has no gap, and so no brackets. Take one of the two.")
        return found

    @property
    def json(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "begin": selection_json(self.begin),
            "back": selection_json(self.back),
            "interval": self.interval,
            "first_time": self.first_time,
            "how": self.how,
        }
        said |= {"clock": self.clock} if self.clock != "calendar" else {}
        said |= {"brackets": [list(one) for one in self.brackets]} if self.brackets else {"stretches": self.stretches}
        return said | optional_json(self.by, self.when)


def bracket_words(bracket: tuple[int, int]) -> str:
    one, two = bracket
    return str(one) if one == two else f"{one} to {two}"


def _brackets(raw: object) -> tuple[tuple[int, int], ...]:
    shape = (
        f"Write “brackets” as [[0, 0], [1, 3], [4, 7]]: rising, at most {MOST_BRACKETS}, up to {MOST_STRETCHES * 6}."
    )
    if not isinstance(raw, list) or len(raw) > MOST_BRACKETS:
        raise Invalid(shape)
    found: list[tuple[int, int]] = []
    for one in raw:
        whole = isinstance(one, list) and len(one) == 2 and all(type(number) is int for number in one)
        if not whole or not (found[-1][1] + 1 if found else 0) <= one[0] <= one[1] <= MOST_STRETCHES * 6:
            raise Invalid(shape)
        found.append((one[0], one[1]))
    return tuple(found)
