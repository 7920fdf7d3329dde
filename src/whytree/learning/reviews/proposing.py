"""What verdict the data propose. A person gives it."""

from ..models import Verdict
from .results import Result


def proposed_verdict(result: Result) -> str:
    """From the interval and the predicted range: harm, achieved, partly, not achieved; else inconclusive."""
    forecast, contrast = result.forecast, result.contrast
    if any(rail.verdict == "harmed" for rail in result.guardrails):
        return Verdict.HARM.value
    if contrast is None or contrast.difference is None or not result.is_trusted:
        return Verdict.INCONCLUSIVE.value
    wanted = 1 if forecast.likely >= 0 else -1
    low, high = sorted((contrast.difference.low * wanted, contrast.difference.high * wanted))
    if high < 0:
        return Verdict.HARM.value
    if low <= 0:
        return _unseen(result, high)
    measured = forecast.measured
    least = min(forecast.low * wanted, forecast.high * wanted)
    reached = measured is None or measured.value * wanted >= least
    return Verdict.ACHIEVED.value if reached else Verdict.PARTLY.value


def _unseen(result: Result, high: float) -> str:
    """Nothing was seen: whether the predicted range can still be true makes the difference."""
    forecast, measured = result.forecast, result.forecast.measured
    if measured is None:
        return Verdict.INCONCLUSIVE.value
    wanted = 1 if forecast.likely >= 0 else -1
    best = max(measured.low * wanted, measured.high * wanted)
    return Verdict.NOT_ACHIEVED.value if best < forecast.likely * wanted else Verdict.INCONCLUSIVE.value
