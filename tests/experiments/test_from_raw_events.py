"""From capture to the API's estimate, and beside it the same from the raw events alone, by scipy: what goes in is what comes out.

A ramp over a baseline that drifts, exposures that arrive last, things done before the exposure, people who meet the flag twice and
a twentieth who sign in half-way, some of them into the other arm; and a second flag whose companies are drawn.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from scipy import optimize, stats

from tests.events.conftest import Sender
from whytree.demo.clock import moved_to

V = {"version": 1}
METRICS = {
    "planted": V | {"kind": "conversion", "from": "signed_up", "to": "planted", "within_days": 7},
    "orders": V | {"kind": "count", "event": "ordered"},
    "spent": V | {"kind": "sum", "event": "ordered", "property": "amount"},
    "rate": V
    | {
        "kind": "ratio",
        "top": {"event": "ordered", "measure": "total"},
        "bottom": {"event": "session", "measure": "total"},
    },
    "back": V | {"kind": "retention", "begin": "signed_up", "back": "session", "after_days": 7, "for_days": 7},
}
DAYS, RAMPED, WEEK = 30, 12, timedelta(days=7)
Event = dict[str, Any]


class World:
    """What was sent, by person; `at` is the moment to the millisecond."""

    def __init__(self, start: datetime, people: int = 600) -> None:
        self.rng, self.start, self.ids = np.random.default_rng(3), start, count()
        self.people: list[list[Event]] = []
        self.companies: list[int] = []
        mood = self.rng.normal(0, 0.4, 60)
        for person in range(people):
            company = int(60 * self.rng.random() ** 1.3)
            self.companies.append(company)
            self.people.append(sorted(self._live(person, company, float(mood[company])), key=lambda one: one["at"]))

    def _live(self, person: int, company: int, mood: float) -> list[Event]:
        rng, found, begin = self.rng, list[Event](), float(self.rng.uniform(0.05, DAYS - 0.1))
        ramped = bool(rng.random() < (0.2 if begin < RAMPED else 0.5))
        signs_in = bool(rng.random() < 0.05)

        def add(name: str, day: float, **said: Any) -> None:
            moment = self.start + timedelta(milliseconds=round(day * 86_400_000))
            who = f"u{person}" if not signs_in or day > begin + 1 else f"anon{person}"
            found.append({"event": name, "at": moment, "who": who, "said": said})

        for flag, arm in (("ramp", "on" if ramped else "off"), ("firms", "on" if company % 2 else "off")):
            add("$exposure", begin, flag=flag, variant=arm)
            if rng.random() < 0.3:
                other = flag == "ramp" and signs_in
                again = "off" if arm == "on" else "on"
                add("$exposure", begin + rng.uniform(0.1, 9), flag=flag, variant=again if other else arm)
        drift = 0.4 * math.sin(begin / 6) + mood
        for _ in range(rng.poisson(1)):
            add("ordered", begin - rng.uniform(0.01, 9), amount=7)
        for _ in range(rng.poisson(2 * math.exp(drift + 0.2 * ramped))):
            add("ordered", begin + rng.uniform(0, 8.5), amount=round(float(rng.lognormal(2, 0.5)), 2))
        for _ in range(1 + rng.poisson(3)):
            add("session", begin + rng.uniform(0, 16))
        if rng.random() < 1 / (1 + math.exp(-drift - 0.4 * ramped)):
            add("planted", begin + rng.uniform(0, 9))
        if signs_in:
            found.append(
                {
                    "event": "$identify",
                    "at": found[0]["at"] + timedelta(days=1),
                    "who": f"u{person}",
                    "anon": f"anon{person}",
                }
            )
        return found

    def messages(self) -> list[dict[str, Any]]:
        """All of it as one sends it, in no order, exposures last."""
        sent = [one for person in self.people for one in person if one["at"] < self.start + timedelta(days=DAYS)]
        self.rng.shuffle(sent)
        return [self._message(one) for one in sorted(sent, key=lambda one: one["event"] == "$exposure")]

    def _message(self, one: Event) -> dict[str, Any]:
        outer = {"messageId": f"m{next(self.ids)}", "timestamp": one["at"].isoformat()}
        if one["event"] == "$identify":
            return outer | {"type": "identify", "userId": one["who"], "anonymousId": one["anon"]}
        company = self.companies[int(one["who"].removeprefix("anon").removeprefix("u"))]
        said = one["said"] | {"$groups": {"company": f"c{company}"}}
        who = {"anonymousId": one["who"]} if one["who"].startswith("anon") else {"userId": one["who"]}
        return outer | who | {"type": "track", "event": one["event"], "properties": said}

    def counted(self, flag: str, key: str) -> list[tuple[int, str, int, float, float]]:
        """Period, arm, company, what is counted and what it is divided by: who is in, as the guide says it."""
        found, end, cut = [], self.start + timedelta(days=DAYS), self.start + timedelta(days=RAMPED)
        window = 2 * WEEK if key == "back" else WEEK
        for person, events in enumerate(self.people):
            met = [one for one in events if one["event"] == "$exposure" and one["said"]["flag"] == flag]
            entry, arm = met[0]["at"], met[0]["said"]["variant"]
            period = int(flag == "ramp" and entry >= cut)
            stands_until = cut if flag == "ramp" and not period else end
            odd = [one["at"] for one in met if one["said"]["variant"] != arm]
            if entry + window > end or (odd and odd[0] <= entry + window and odd[0] < stands_until):
                continue
            inside = [one for one in events if entry <= one["at"] <= entry + window]
            ordered = [one for one in inside if one["event"] == "ordered"]
            late = any(one["event"] == "session" and entry + WEEK <= one["at"] < entry + window for one in inside)
            value = {
                "planted": any(one["event"] == "planted" for one in inside),
                "orders": len(ordered),
                "spent": sum(one["said"]["amount"] for one in ordered),
                "rate": len(ordered),
                "back": late,
            }[key]
            under = sum(one["event"] == "session" for one in inside) if key == "rate" else 1
            found.append((period, arm, self.companies[person], float(value), float(under)))
        return found


@pytest.fixture
def told(api: Any, store: Any, server_key: str) -> tuple[World, dict[str, dict[str, Any]]]:
    """The world, and what the API says of it: by flag and metric."""
    start = timezone.now().replace(microsecond=0) - timedelta(days=DAYS, minutes=1)
    world, base, refs = World(start), "/products/sprout", {}
    for key, definition in METRICS.items():
        api.post(f"{base}/metrics", {"key": key, "definition": definition}).must_succeed()
    with moved_to(start):
        for flag, weights in (("ramp", {"off": 4, "on": 1}), ("firms", {"off": 1, "on": 1})):
            api.post(f"{base}/flags", {"key": flag}).must_succeed()
            if flag == "firms":
                api.patch(f"{base}/flags/{flag}/rules", {"unit": "company"}).must_succeed()
            metrics = [{"key": key, "role": "primary" if key == "planted" else "secondary"} for key in METRICS]
            plan = {"days": DAYS, "weights": weights, "correction": "none", "metrics": metrics}
            refs[flag] = api.post(f"{base}/experiments", {"flag": flag, "plan": plan}).ok["ref"]
            api.post(f"{base}/experiments/{refs[flag]}/start").must_succeed()
    with moved_to(start + timedelta(days=RAMPED)):
        api.post(f"{base}/flags/ramp/rollout", {"weights": {"off": 1, "on": 1}}).must_succeed()
    messages, sender = world.messages(), Sender(server_key)
    for at in range(0, len(messages), 1_000):
        assert sender.batch(*messages[at : at + 1_000]).status == 200
    results = {flag: api.get(f"{base}/experiments/{ref}").ok["result"] for flag, ref in refs.items()}
    keys = list(METRICS)
    left = {one["name"]: one["sentence"] for one in results["ramp"]["analysis"]["health"]}
    assert "too thin for a ratio" in left["rate: a period left out"]
    return world, {
        flag: dict(zip(keys, (one["comparisons"][0] for one in result["analysis"]["metrics"]), strict=True))
        for flag, result in results.items()
    }


def test_every_figure_is_what_scipy_makes_of_the_raw_events(told: tuple[World, dict[str, dict[str, Any]]]) -> None:
    world, found = told
    for key in METRICS:
        rows = world.counted("ramp", key)
        periods = [[_arm(rows, arm, period) for arm in ("off", "on")] for period in (0, 1)]
        if key in ("planted", "back"):
            wanted = _shares(periods)
        elif key == "rate":
            thick = [pair for pair in periods if all(_is_known(arm) for arm in pair)]
            assert len(thick) == 1, "the ramp's first step is too thin for a ratio, and says so"
            wanted = _over_periods(thick, _ratio)
        else:
            wanted = _means(periods)
        _same(found["ramp"][key], wanted, f"ramp {key}")
    for key in ("planted", "orders", "spent", "back"):
        _same(found["firms"][key], _drawn_companies(world.counted("firms", key)), f"firms {key}")


def _same(told: dict[str, Any], wanted: tuple[float, float, float, float], what: str) -> None:
    assert told["standing"] != "no answer", (what, told["reason"])
    given = told["difference"]
    width = given["high"] - given["low"]
    assert (given["value"], given["low"], given["high"]) == pytest.approx(wanted[:3], abs=1e-5 * width), what
    assert told["p"] == pytest.approx(wanted[3], abs=1e-6), what


def _arm(rows: Sequence[tuple[int, str, int, float, float]], arm: str, period: int) -> np.ndarray:
    return np.array([row[3:] for row in rows if row[0] == period and row[1] == arm])


def _weights(periods: list[list[np.ndarray]]) -> np.ndarray:
    sizes = np.array([len(one) * len(other) / (len(one) + len(other)) for one, other in periods])
    return np.asarray(sizes / sizes.sum())


def _by_t(value: float, variances: Sequence[float], freedoms: Sequence[float]) -> tuple[float, float, float, float]:
    """Satterthwaite's degrees of freedom over all parts."""
    whole = sum(variances)
    freedom = whole**2 / sum(one**2 / k for one, k in zip(variances, freedoms, strict=True))
    half = stats.t.ppf(0.975, freedom) * math.sqrt(whole)
    return value, value - half, value + half, 2 * stats.t.sf(abs(value) / math.sqrt(whole), freedom)


def _means(periods: list[list[np.ndarray]]) -> tuple[float, float, float, float]:
    weights = _weights(periods)
    value = sum(w * (other[:, 0].mean() - one[:, 0].mean()) for w, (one, other) in zip(weights, periods, strict=True))
    parts = [
        (w**2 * arm[:, 0].var(ddof=1) / len(arm), len(arm) - 1)
        for w, pair in zip(weights, periods, strict=True)
        for arm in pair
    ]
    return _by_t(value, [part for part, _ in parts], [k for _, k in parts])


def _ratio(arm: np.ndarray) -> tuple[float, float, int]:
    value = arm[:, 0].sum() / arm[:, 1].sum()
    line = (arm[:, 0] - value * arm[:, 1]) / arm[:, 1].mean()
    return value, line.var(ddof=1) / len(arm), len(arm) - 1


def _is_known(arm: np.ndarray) -> bool:
    """Whether the mean of what is divided by is known to a tenth."""
    return bool(arm[:, 1].std(ddof=1) / math.sqrt(len(arm)) <= 0.1 * arm[:, 1].mean())


def _over_periods(
    periods: list[list[np.ndarray]], of: Callable[[np.ndarray], tuple[float, float, int]]
) -> tuple[float, float, float, float]:
    value, variances, freedoms = 0.0, [], []
    for weight, pair in zip(_weights(periods), periods, strict=True):
        (one, v0, k0), (other, v1, k1) = map(of, pair)
        value += weight * (other - one)
        welch = (v0 + v1) ** 2 / (v0**2 / k0 + v1**2 / k1)
        variances.append(weight**2 * (v0 + v1))
        freedoms.append(welch)
    return _by_t(value, variances, freedoms)


def _shares(periods: list[list[np.ndarray]]) -> tuple[float, float, float, float]:
    """Miettinen and Nurminen's stratified score, the constrained maximum found by search and not by their cubic."""
    weights = _weights(periods)
    cells = [(one[:, 0].sum(), len(one), other[:, 0].sum(), len(other)) for one, other in periods]
    seen = sum(w * (x1 / n1 - x0 / n0) for w, (x0, n0, x1, n1) in zip(weights, cells, strict=True))

    def variance(gap: float) -> float:
        total = 0.0
        for w, (x0, n0, x1, n1) in zip(weights, cells, strict=True):

            def against(share: float, x0: float = x0, n0: int = n0, x1: float = x1, n1: int = n1) -> float:
                logs = np.log([share, 1 - share, share + gap, 1 - share - gap])
                return -float(logs @ [x0, n0 - x0, x1, n1 - x1])

            edges = (max(0.0, -gap) + 1e-12, min(1.0, 1 - gap) - 1e-12)
            share = optimize.minimize_scalar(against, bounds=edges, method="bounded", options={"xatol": 1e-13}).x
            spread = share * (1 - share) / n0 + (share + gap) * (1 - share - gap) / n1
            total += w**2 * spread * (n0 + n1) / (n0 + n1 - 1)
        return total

    z = stats.norm.ppf(0.975)

    def score(gap: float) -> float:
        return (seen - gap) / math.sqrt(variance(gap))

    low = optimize.brentq(lambda gap: score(gap) - z, seen - 0.4, seen)
    high = optimize.brentq(lambda gap: score(gap) + z, seen, seen + 0.4)
    return seen, low, high, 2 * stats.norm.sf(abs(score(0.0)))


def _drawn_companies(rows: Sequence[tuple[int, str, int, float, float]]) -> tuple[float, float, float, float]:
    """A mean over people whose error is that between companies; unequal ones count as fewer (Kish)."""
    parts = []
    for arm in ("off", "on"):
        sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for _, own, company, value, _ in rows:
            if own == arm:
                sums[company][0] += value
                sums[company][1] += 1
        table = np.array(list(sums.values()))
        mean, effective = table[:, 0].sum() / table[:, 1].sum(), table[:, 1].sum() ** 2 / (table[:, 1] ** 2).sum()
        residuals = (table[:, 0] - mean * table[:, 1]) / table[:, 1].sum()
        parts.append((mean, (residuals**2).sum() * effective / (effective - 1), effective - 1))
    (m0, v0, k0), (m1, v1, k1) = parts
    return _by_t(m1 - m0, [v0, v1], [k0, k1])
