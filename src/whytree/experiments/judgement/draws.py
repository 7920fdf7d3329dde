"""Was it a fair draw? Sizes against weights, and the weights as people write them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from whytree.engines.stats import Assigned, SampleRatio, always_valid_ratio, sample_ratio
from whytree.errors import Invalid

from ..constants import RATIO_BROKEN, RATIO_DOUBTFUL
from .results import RatioFigure, Trust


def ratio_figure(
    segment: str, periods: Sequence[Assigned], arms: Sequence[str], *, looked_at: bool = False
) -> RatioFigure:
    """Over all periods together, each with the weights that were in force then; `segment` is empty for all units.

    `looked_at`: again and again, before the day on which it is read.
    """
    seen = {arm: sum(period.seen.get(arm, 0) for period in periods) for arm in arms}
    answer = always_valid_ratio(periods) if looked_at else sample_ratio(periods)
    if not isinstance(answer, SampleRatio) or not sum(seen.values()):
        return RatioFigure(segment, seen, {}, None, "ok")
    expected = {arm: answer.expected.get(arm, 0.0) for arm in arms}
    return RatioFigure(segment, seen, expected, answer.p, standing_of(answer.p))


def standing_of(p: float) -> Trust:
    """A sound experiment is called broken once in a thousand."""
    return "broken" if p < RATIO_BROKEN else "look" if p < RATIO_DOUBTFUL else "ok"


def read_weights(text: str, arms: list[str]) -> dict[str, float]:
    """``50:50`` in the arms' order, control first; or ``gate_30=1,gate_40=1``. Left out: all alike."""
    if not text:
        return dict.fromkeys(arms, 1.0)
    named = "=" in text
    parts = text.split(",") if named else text.split(":")
    pairs = [part.rpartition("=")[::2] for part in parts] if named else list(zip(arms, parts, strict=False))
    if not named and len(parts) != len(arms):
        raise Invalid(f"{text} gives {len(parts)} weights and there are {len(arms)} arms: {', '.join(arms)}.")
    weights: dict[str, float] = {}
    for name, value in pairs:
        try:
            weight = float(value.strip().removesuffix("%"))
        except ValueError:
            weight = math.nan
        if not (math.isfinite(weight) and weight >= 0):
            raise Invalid(f"“{value}” is no weight. Write --weights 50:50, or {arms[0]}=50,{arms[1]}=50.")
        weights[name.strip()] = weight
    unknown = [name for name in arms if name not in weights]
    weights = {name: weights[name] for name in [*arms, *weights] if name in weights}
    if unknown:
        raise Invalid(f"{text} gives no weight to “{unknown[0]}”. The arms are {', '.join(arms)}.")
    total = sum(weights.values())
    whole = 100.0 if "%" in text else 1.0 if max(weights.values()) < 1 else None
    if total <= 0 or (whole is not None and not math.isclose(total, whole, rel_tol=1e-3)):
        raise Invalid(
            f"The weights {text} add up to {total:g}{' and not to ' + format(whole, 'g') if whole else ''}. Correct them."
        )
    return weights
