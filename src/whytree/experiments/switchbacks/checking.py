"""Whether a switchback ran as it was drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from whytree.engines.stats.effects import Effect
from whytree.experiments.judgement.results import Check, Trust
from whytree.experiments.judgement.sentences import in_percent, p_text, several

from .counting import PeriodsCounted

if TYPE_CHECKING:
    from whytree.experiments.underway.running import Run


def switchback_checks(ran: Run, counted: PeriodsCounted, most_aside: float) -> list[Check]:
    """People in another arm than that of their period, blocks that do not count, and the exact test beside the interval."""
    return [*_astray(counted, most_aside), *_blocks(counted), *_drawn_again(ran, counted)]


def _astray(counted: PeriodsCounted, most: float) -> list[Check]:
    met = counted.met
    if not met.astray:
        return [Check("arm of the period", "ok", "Everybody met it.")] if met.people else []
    share = met.astray / (met.astray + met.people)
    standing: Trust = "broken" if share > most else "ok"
    told = f"{met.astray:,} visits ({in_percent(share)}) met another arm than that of their period, and are left out."
    if standing == "broken":
        told += " Who they are is not chance. Does a client keep flags for longer than the washout?"
    return [Check("arm of the period", standing, told)]


def _blocks(counted: PeriodsCounted) -> list[Check]:
    met = counted.met
    if not met.blocks:
        return []
    told = f"{met.whole:,} of {several(met.blocks, 'block')} that are over {'counts' if met.whole == 1 else 'count'}."
    if met.changed:
        told += f" In {met.changed:,} the flag was off or had other weights."
    if met.empty:
        told += f" In {met.empty:,} a period had nobody: longer periods, or fewer regions, would lose less."
    return [Check("blocks", "look" if met.whole < met.blocks else "ok", told)]


def _drawn_again(ran: Run, counted: PeriodsCounted) -> list[Check]:
    """Only where the arms are compared once: it does not bear being looked at every day."""
    if not ran.may_compare or ran.rules.sequential:
        return []
    checks = []
    for arm in ran.design.arms[1:]:
        p = counted.drawn_again(ran.design.control, arm)
        if p is None:
            continue
        effect = counted.compare(ran.design.control, arm, level=ran.design.level)
        alpha = 1 - ran.design.level
        agrees = not isinstance(effect, Effect) or (effect.p < alpha) == (p < alpha)
        told = f"Of all orders in which the blocks could have been drawn, {100 * p:.2g} % differ as much as {arm} (p = {p_text(p)})."
        if not agrees:
            told += " The interval says otherwise: with so few blocks, believe this one."
        checks.append(Check("drawn again", "ok" if agrees else "look", told))
    return checks
