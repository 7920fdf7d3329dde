"""Several people's predictions in words."""

from whytree.engines.forecasts.scoring import Score
from whytree.learning.reviews.sentences import amount, held_word, signed

from .queries import Said, Table


def range_text(said: Said, unit: str) -> str:
    """+1 to +7 pp"""
    return f"{signed(said.low)} to {signed(said.high)} {unit}".rstrip()


def blind_text(table: Table) -> str:
    """What somebody is told who does not see the others' yet."""
    if table.answers == 0:
        return "Nobody has said yet what they expect."
    who = "One colleague has" if table.answers == 1 else f"{table.answers} colleagues have"
    return f"{who} said what they expect. You see it once you have said yours, or when it locks."


def spread_text(table: Table) -> str:
    """How far they differ, and what to do when two of them cannot both be right; empty where fewer than two answered."""
    spread, unit = table.spread, table.hypothesis.forecast_unit
    if spread is None:
        return ""
    if spread.least == spread.most:
        middle = f"All think {amount(spread.median, unit, sign=True)} most likely"
    else:
        most = amount(spread.most, unit, sign=True)
        middle = f"Most likely, they say, {signed(spread.least)} to {most}; the middle is {signed(spread.median)}"
    text = f"{middle}. Taken together their ranges go from {signed(spread.low)} to {signed(spread.high)}."
    if spread.apart:
        text += " Two of them do not even overlap: one knows something that the other does not."
        text += "" if table.hypothesis.is_locked else " Talk before it opens."
    return text


def held_text(score: Score) -> str:
    return held_word(score.inside, score.held)


def direction_text(score: Score) -> str:
    return {"right": "right way", "wrong": "wrong way", "unclear": "way cannot be told"}[score.direction]


def tone_of(score: Score) -> str:
    return "leaf" if score.held else "amber"
