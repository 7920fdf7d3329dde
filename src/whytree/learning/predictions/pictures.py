"""Several people's ranges below each other, on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from whytree.engines.charts.intervals import Measured, Range, Scale, interval_row
from whytree.engines.figures import between, number
from whytree.learning.reviews.results import Figure
from whytree.learning.reviews.sentences import signed
from whytree.workspace.pages.vouched import vouched

from .queries import Said
from .sentences import direction_text, held_text, range_text, tone_of

WIDTH = 300


@dataclass(frozen=True)
class Row:
    """One prediction of a table, every part ready to show."""

    said: Said
    range: str
    ends: str
    likely: str
    picture: SafeString
    held: str = ""
    tone: str = ""
    direction: str = ""
    interval_score: str = ""
    crps: str = ""


def rows(said: Sequence[Said], unit: str, measured: Figure | None = None) -> list[Row]:
    """Each range with its most likely value; what was measured lies behind all of them as a band."""
    values = [value for one in said for value in (one.low, one.high)]
    scale = Scale.over([*values, *([measured.low, measured.high] if measured else [])], WIDTH)
    band = Range(measured.low, measured.high) if measured else None
    return [_row(one, unit, scale, band) for one in said]


def _row(said: Said, unit: str, scale: Scale, band: Range | None) -> Row:
    whisker = Measured(said.likely, said.low, said.high)
    picture = interval_row(scale, band, whisker, unit=unit, tone="ink-3" if said.is_own else "blue", wash="leaf-wash")
    row = Row(
        said=said,
        range=range_text(said, unit),
        ends=between(said.low, said.high),
        likely=signed(said.likely),
        picture=vouched(picture),
    )
    if said.score is None:
        return row
    return Row(
        **{name: getattr(row, name) for name in ("said", "range", "ends", "likely", "picture")},
        held=held_text(said.score),
        tone=tone_of(said.score),
        direction=direction_text(said.score),
        interval_score=number(said.score.interval_score),
        crps=number(said.score.crps),
    )
