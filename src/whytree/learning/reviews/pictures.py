"""From a result to its pictures."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from whytree.engines.charts.intervals import Measured, Range, Scale, interval_bar, interval_row
from whytree.workspace.pages.vouched import vouched

from .results import Contrast, Figure, Guardrail, Result
from .sentences import amount, signed


@dataclass(frozen=True)
class Row:
    """One metric of a review's table, every part ready to show."""

    name: str
    about: str
    control: str
    treatment: str
    difference: str
    picture: SafeString
    verdict: str
    tone: str
    note: str = ""


def review_bar(result: Result) -> SafeString:
    """Predicted above measured, on one scale with zero."""
    forecast = result.forecast
    predicted = Range(forecast.low, forecast.high)
    return vouched(interval_bar(predicted, _measured(forecast.measured), forecast.unit))


def rows(result: Result) -> list[Row]:
    """The predicted metric, then the guardrails. Those counted in one unit share a scale."""
    contrasts = [one for one in (result.contrast, *(rail.contrast for rail in result.guardrails)) if one is not None]
    scales = {unit: _scale(result, unit) for unit in {one.difference_unit for one in contrasts}}
    found = [_main_row(result, result.contrast, scales)] if result.contrast is not None else []
    return found + [_rail_row(rail, scales) for rail in result.guardrails]


def _main_row(result: Result, contrast: Contrast, scales: dict[str, Scale]) -> Row:
    shaded = forecast_range(result, contrast)
    difference = contrast.difference
    wanted = 1 if result.forecast.likely >= 0 else -1
    if difference is None:
        verdict, tone = "no answer yet", ""
    elif difference.low * wanted > 0 and difference.high * wanted > 0:
        verdict, tone = "better", "leaf"
    elif difference.low * wanted < 0 and difference.high * wanted < 0:
        verdict, tone = "worse", "red"
    else:
        verdict, tone = "no answer yet", ""
    about = f"predicted metric, {_window(contrast)}"
    return _row(contrast, about, shaded, scales, verdict, tone, "blue-wash")


def _rail_row(rail: Guardrail, scales: dict[str, Scale]) -> Row:
    contrast = rail.contrast
    move = "rise" if rail.direction == "up" else "fall"
    about = (
        f"guardrail, may {move} by {amount(rail.margin, contrast.difference_unit)}"
        if contrast.difference_unit
        else "guardrail"
    )
    shaded = Range(0, rail.margin) if rail.direction == "up" else Range(-rail.margin, 0)
    verdict, tone = {"held": ("not worse", "leaf"), "harmed": ("harm", "red"), "open": ("no answer yet", "")}[
        rail.verdict
    ]
    return _row(contrast, about, shaded, scales, verdict, tone, "amber-wash")


def _row(
    contrast: Contrast, about: str, shaded: Range | None, scales: dict[str, Scale], verdict: str, tone: str, wash: str
) -> Row:
    difference, unit = contrast.difference, contrast.difference_unit
    picture = interval_row(scales[unit], shaded, _measured(difference), unit=unit, tone=tone or "ink-3", wash=wash)
    return Row(
        name=contrast.metric_name,
        about=about,
        control="" if contrast.control is None else amount(contrast.control.value, contrast.unit),
        treatment="" if contrast.treatment is None else amount(contrast.treatment.value, contrast.unit),
        difference="" if difference is None else f"{signed(difference.value)} {unit}",
        picture=vouched(picture if difference is not None else ""),
        verdict=verdict,
        tone=tone,
        note=contrast.reason,
    )


def forecast_range(result: Result, contrast: Contrast) -> Range | None:
    """The forecast, where it is in the unit of the table."""
    same = result.forecast.unit == contrast.difference_unit or (result.forecast.unit == "" and contrast.unit == "%")
    return Range(result.forecast.low, result.forecast.high) if same else None


def _scale(result: Result, unit: str) -> Scale:
    values: list[float] = []
    if result.contrast is not None and result.contrast.difference_unit == unit:
        shaded = forecast_range(result, result.contrast)
        values += [shaded.low, shaded.high] if shaded else []
        values += _ends(result.contrast.difference)
    for rail in result.guardrails:
        if rail.contrast.difference_unit == unit:
            values += [*_ends(rail.contrast.difference), rail.margin if rail.direction == "up" else -rail.margin]
    return Scale.over(values, 300)


def _ends(figure: Figure | None) -> list[float]:
    return [] if figure is None else [figure.low, figure.high]


def _measured(figure: Figure | None) -> Measured | None:
    return None if figure is None else Measured(figure.value, figure.low, figure.high)


def _window(contrast: Contrast) -> str:
    return "within a day" if contrast.window_days == 1 else f"within {contrast.window_days} days of first exposure"
