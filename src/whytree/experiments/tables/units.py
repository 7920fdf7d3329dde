"""From a table's rows to units: each in one arm, counted once. What does not fit is set aside and counted, never mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whytree.engines.tables import UnreadableTable, open_table
from whytree.engines.tables.columns import Columns, NumberColumn, TextColumn, read_columns
from whytree.errors import Invalid

from ..constants import CONTROL_NAMES, LONGEST_ARM, MOST_ARMS, NAMED
from ..judgement.plan import Plan, Repeat

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass
class SetAside:
    """How many did not fit, and the first of them by name."""

    count: int = 0
    named: list[str] = field(default_factory=list)


@dataclass
class Intake:
    """What was read, and what became of it."""

    rows: int
    unreadable: int
    errors: list[str]
    cut_off: bool
    without_unit: int = 0
    without_arm: int = 0
    in_two_arms: SetAside = field(default_factory=SetAside)
    repeated: int = 0
    """Rows that repeat a unit's row word for word; counted once."""
    without_group: int = 0
    burnt_in: int = 0
    """Rows of a switchback that fell into a period's burn-in."""
    differing: SetAside = field(default_factory=SetAside)
    """Units whose rows differ, where nobody said what to do with them."""


@dataclass
class Units:
    """Units arm by arm, control first. Where rows stay rows (``--repeat rows``), `whose` says whose each is."""

    arms: list[str]
    arm: Indices
    numbers: Mapping[str, Numbers]
    whose: Indices | None
    names: Callable[[int], str]
    """What the unit at a place is called, and in which row it stands."""
    segment: TextColumn | None
    columns: dict[str, NumberColumn]
    intake: Intake

    def places(self, arm: int) -> slice:
        """Where an arm's units stand: they stand together."""
        start, end = np.searchsorted(self.arm, [arm, arm + 1]).tolist()
        return slice(start, end)

    def sizes(self) -> dict[str, int]:
        """Units by arm."""
        if self.whose is None:
            here = map(self.places, range(len(self.arms)))
            return {name: place.stop - place.start for name, place in zip(self.arms, here, strict=True)}
        _, first = np.unique(self.whose, return_index=True)
        counts = np.bincount(self.arm[first], minlength=len(self.arms))
        return dict(zip(self.arms, counts.tolist(), strict=True))


def read_units(path: Path, plan: Callable[[list[str]], Plan], *, format: str = "") -> tuple[Plan, Units]:
    """Open the file, make the plan for its columns, and read what the plan needs."""
    try:
        table = open_table(path, format=format or None)
        made = plan(table.columns)
        columns = read_columns(table, texts=made.texts, numbers=made.numbers)
    except UnreadableTable as error:
        raise Invalid(str(error)) from error
    return made, gather(columns, made)


def gather(columns: Columns, plan: Plan) -> Units:
    """Sort rows into units and arms."""
    unit, arm = columns.texts[plan.unit], columns.texts[plan.arm]
    intake = Intake(
        columns.rows,
        columns.unreadable,
        [f"row {error.row_number:,}: {error.reason}" for error in columns.errors],
        columns.cut_off,
    )
    intake.without_unit = int((unit.codes < 0).sum())
    intake.without_arm = int(((arm.codes < 0) & (unit.codes >= 0)).sum())
    kept = np.flatnonzero((unit.codes >= 0) & (arm.codes >= 0))
    arms = _arms(arm, kept, plan)
    position = {name: at for at, name in enumerate(arms)}
    to_arm = np.array([position.get(name, -1) for name in arm.names] or [0], dtype=np.int64)
    if plan.cluster:
        kept, unit_of_draw = _with_groups(kept, columns.texts[plan.cluster], intake), columns.texts[plan.cluster]
    else:
        unit_of_draw = unit
    kept = _one_arm_each(kept, unit_of_draw, arm, intake)
    numbers = {name: columns.numbers[name].values for name in plan.numbers}
    if plan.burn_in:
        kept = _after_burn_in(kept, unit.codes, numbers[plan.time], plan.burn_in, intake)
    kept, repeats = _repeats(kept, unit, numbers, plan.repeat, intake)
    arm_of = to_arm[arm.codes]
    order = _arm_by_arm(arm_of if len(kept) == len(arm_of) else arm_of[kept], len(arms))
    kept = order if len(kept) == len(arm_of) else kept[order]
    whose, is_folded = None, repeats and plan.repeat != "rows"
    if is_folded:
        kept, numbers = _folded(kept, unit.codes[kept], numbers, plan.repeat)
        order = _arm_by_arm(arm_of[kept], len(arms))
        kept, numbers = kept[order], {name: values[order] for name, values in numbers.items()}
    else:
        whose = unit.codes[kept] if repeats else None
    if plan.cluster:
        whose = columns.texts[plan.cluster].codes[kept]
    segment = columns.texts[plan.segment] if plan.segment else None
    return Units(
        arms,
        arm_of[kept],
        numbers if is_folded else InOrder(numbers, kept),
        whose,
        lambda at: _named(plan.unit, unit.names[unit.codes[kept[at]]], int(columns.row_numbers[kept[at]])),
        None if segment is None else TextColumn(segment.codes[kept], segment.names),
        columns.numbers,
        intake,
    )


class InOrder(Mapping[str, Numbers]):
    """Columns with the rows that count, in the units' order. Each is put together when somebody asks for it, and not kept:
    one after the other in the same memory, which is quicker than all of them side by side.
    """

    def __init__(self, columns: Mapping[str, Numbers], rows: Indices) -> None:
        self._columns, self._rows = columns, rows

    def __getitem__(self, name: str) -> Numbers:
        return self._columns[name][self._rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _arm_by_arm(arm: Indices, arms: int) -> Indices:
    """The order in which arms stand together, and their units as before."""
    return np.concatenate([np.flatnonzero(arm == at) for at in range(arms)])


def _with_groups(kept: Indices, group: TextColumn, intake: Intake) -> Indices:
    there = group.codes[kept] >= 0
    intake.without_group = int((~there).sum())
    return np.asarray(kept[there])


def _after_burn_in(kept: Indices, codes: Indices, times: Numbers, burn_in: float, intake: Intake) -> Indices:
    """Rows from so long after their period's first row on."""
    known = kept[np.isfinite(times[kept])]
    starts = np.full(int(codes.max()) + 1, np.inf)
    np.minimum.at(starts, codes[known], times[known])
    after = known[times[known] >= starts[codes[known]] + burn_in]
    intake.burnt_in = len(kept) - len(after)
    return np.asarray(after)


def _named(column: str, name: str, row: int) -> str:
    return f"{column} {name} (row {row:,})"


def _arms(arm: TextColumn, kept: Indices, plan: Plan) -> list[str]:
    """Control first, the others by name."""
    present = [arm.names[code] for code in np.flatnonzero(np.bincount(arm.codes[kept])).tolist()]
    if not present:
        raise Invalid(f"No row has both a unit in “{plan.unit}” and an arm in “{plan.arm}”. Check the two columns.")
    if len(present) > MOST_ARMS:
        shown = ", ".join(f"“{name[:30]}”" for name in present[:4])
        raise Invalid(
            f"“{plan.arm}” has {len(present):,} different values ({shown} …), and an experiment at most {MOST_ARMS} arms. "
            "Name the column that says which version a unit got; keep only this experiment's rows."
        )
    longest = max(present, key=len)
    if len(longest) > LONGEST_ARM:
        raise Invalid(
            f"“{plan.arm}” holds a text of {len(longest):,} characters (“{longest[:30]}…”): that is no arm's name."
        )
    if plan.control and plan.control not in present:
        raise Invalid(f"No unit is in “{plan.control}”. The arms in “{plan.arm}” are {', '.join(sorted(present))}.")
    if len(present) == 1:
        raise Invalid(
            f"All units are in “{present[0]}”, so there is nothing to compare it with. "
            f"Check that “{plan.arm}” is the column of the arms and that the other arm's rows were exported too."
        )
    control = plan.control or _likely_control(present)
    return [control, *sorted(name for name in present if name != control)]


def _likely_control(present: list[str]) -> str:
    for word in CONTROL_NAMES:
        for name in present:
            if name.strip().lower() == word:
                return name
    return min(present)


def _one_arm_each(kept: Indices, unit: TextColumn, arm: TextColumn, intake: Intake) -> Indices:
    """Leave out who was seen in two arms: for them the draw was broken."""
    if _is_each_one_row(unit):
        return kept
    codes, arms = unit.codes[kept], arm.codes[kept]
    least = np.full(len(unit.names), np.iinfo(np.int64).max)
    most = np.full(len(unit.names), -1)
    np.minimum.at(least, codes, arms)
    np.maximum.at(most, codes, arms)
    both = (most >= 0) & (least != most)
    intake.in_two_arms = _set_aside(both, unit)
    return np.asarray(kept[~both[codes]])


def _is_each_one_row(unit: TextColumn) -> bool:
    """As many names as rows: none is empty, and none stands there twice."""
    return len(unit.names) == len(unit.codes)


def _set_aside(which: NDArray[np.bool_], unit: TextColumn) -> SetAside:
    places = np.flatnonzero(which)
    return SetAside(len(places), [unit.names[at] for at in places[:NAMED].tolist()])


def _repeats(
    kept: Indices, unit: TextColumn, numbers: dict[str, Numbers], repeat: Repeat, intake: Intake
) -> tuple[Indices, bool]:
    """Rows without exact repeats, and whether some units still have several that are to be folded."""
    if len(kept) == 0 or _is_each_one_row(unit):
        return kept, False
    codes = unit.codes[kept]
    if int(np.bincount(codes, minlength=len(unit.names)).max()) <= 1:
        return kept, False
    if repeat:
        return kept, True
    first = np.full(len(unit.names), -1, dtype=np.int64)
    first[codes[::-1]] = kept[::-1]
    own = first[codes]
    differs = np.zeros(len(unit.names), dtype=bool)
    for values in numbers.values():
        here, there = values[kept], values[own]
        differs[codes[(here != there) & ~(np.isnan(here) & np.isnan(there))]] = True
    intake.differing = _set_aside(differs, unit)
    intake.repeated = int(((kept != own) & ~differs[codes]).sum())
    return kept[(kept == own) & ~differs[codes]], False


def _folded(
    kept: Indices, codes: Indices, numbers: dict[str, Numbers], repeat: Repeat
) -> tuple[Indices, dict[str, Numbers]]:
    """One row a unit, in the order of their first rows."""
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
    ends = np.r_[starts[1:], len(order)] - 1
    folded: dict[str, Numbers] = {}
    for name, values in numbers.items():
        mine = values[kept][order]
        there = ~np.isnan(mine)
        count = np.add.reduceat(there.astype(np.float64), starts)
        if repeat == "last":
            result: Any = mine[ends]
        elif repeat == "max":
            result = np.fmax.reduceat(mine, starts)
        else:
            result = np.add.reduceat(np.where(there, mine, 0.0), starts)
            if repeat == "mean":
                result = result / np.maximum(count, 1)
        folded[name] = np.asarray(result if repeat == "last" else np.where(count > 0, result, np.nan))
    return kept[order][starts], folded
