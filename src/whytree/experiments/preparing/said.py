"""A plan as it is said on the command line, made into what the API takes."""

from collections.abc import Sequence
from typing import Any

from whytree.errors import Invalid
from whytree.workspace.terminal.client import Client, CommandError

from ..judgement.draws import read_weights


def plan_of(
    client: Client,
    flag: str,
    hypothesis: str,
    primary: str,
    secondary: Sequence[str],
    guardrails: Sequence[str],
    weights: str,
) -> dict[str, Any]:
    """Metrics are a whole list for the API; here they may be added to those that the hypothesis names."""
    known = client.get(f"/products/{client.product}/flags/{flag}")
    plan: dict[str, Any] = {}
    if weights:
        try:
            plan["weights"] = read_weights(weights, list(known["variants"]))
        except Invalid as error:
            raise CommandError(error.message) from error
    if primary or secondary or guardrails:
        plan["metrics"] = _metrics(client, hypothesis or known["hypothesis"] or "", primary, secondary, guardrails)
    return plan


def _metrics(
    client: Client, hypothesis: str, primary: str, secondary: Sequence[str], guardrails: Sequence[str]
) -> list[dict[str, Any]]:
    predicted = client.get(f"/products/{client.product}/hypotheses/{hypothesis}") if hypothesis else None
    deciding = primary or (predicted["metric_key"] if predicted else "")
    if not deciding:
        raise CommandError("Which metric decides? Say --primary METRIC, or tie the flag to a hypothesis.")
    rails = [_guardrail(text) for text in guardrails]
    for rail in predicted["guardrails"] if predicted else []:
        if rail["metric_key"] not in {one["key"] for one in rails}:
            rails.append(
                {"key": rail["metric_key"], "role": "guardrail", "harms": rail["direction"], "margin": rail["margin"]}
            )
    guarded = {rail["key"] for rail in rails}  # looked at as what they are: asking for one more look lifts no guardrail
    others = [{"key": key, "role": "secondary"} for key in secondary if key not in guarded]
    return [{"key": deciding, "role": "primary"}, *others, *rails]


def _guardrail(text: str) -> dict[str, Any]:
    key, _, margin = text.rpartition("=")
    try:
        return {"key": key.strip(), "role": "guardrail", "margin": float(margin.strip().removesuffix("pp"))}
    except ValueError:
        raise CommandError(f"“{text}” cannot be read. Write --guardrail spam_accounts=0.5.") from None


MINUTES_IN = {"m": 1, "h": 60, "d": 1_440, "w": 10_080}


def switchback_of(every: str, washout: str, by: str) -> dict[str, Any] | None:
    """`2h`, `20m` and `city` as a plan's switchback; None where nothing is said."""
    if not every:
        if washout or by:
            raise CommandError("--washout and --by are of a switchback. Say how often it switches: --switchback 2h.")
        return None
    return {"minutes": _minutes(every), "washout": _minutes(washout) if washout else 0, "by": by.strip()}


def _minutes(text: str) -> int:
    number, unit = text.strip()[:-1], text.strip()[-1:]
    if not number.isdecimal() or unit not in MINUTES_IN:
        raise CommandError(f"“{text}” is no length of time. Write 90m, 2h, 1d or 1w.")
    return int(number) * MINUTES_IN[unit]
