"""`analyze` beyond one comparison: parts, those triggered, groups and periods that were drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Analyze = Callable[..., Any]
Write = Callable[[str], Path]


def parted(rng: np.random.Generator, sizes: dict[str, tuple[int, float]]) -> str:
    lines, user = ["user,arm,platform,converted"], 0
    for platform, (n, effect) in sizes.items():
        for at in range(n):
            user += 1
            arm = ("off", "on")[at % 2]
            did = rng.random() < 0.3 + (effect if arm == "on" else 0.0)
            lines.append(f"u{user},{arm},{platform},{int(did)}")
    return "\n".join(lines)


def test_parts_are_corrected_shrunken_and_weighed(table: Write, analyze: Analyze) -> None:
    sizes = {"ios": (4_000, 0.06), "android": (3_000, 0.05), "web": (200, 0.30), "tv": (300, 0.05)}
    file = table(parted(np.random.default_rng(1), sizes))
    found = analyze(file, "--metric", "converted", "--segment", "platform")
    assert [(one["segment"], one["units"]) for one in found["parts"]] == [
        ("ios", 4_000),
        ("android", 3_000),
        ("tv", 300),
        ("web", 200),
    ]
    ios = found["parts"][0]["metric"]["comparisons"][0]
    assert ios["difference"]["level"] == pytest.approx(1 - 0.05 / 4)
    (over,) = found["over_parts"]
    web = found["parts"][3]["metric"]["comparisons"][0]["difference"]["value"]
    shrunk = {one["part"]: one["value"] for one in over["shrunk"]}
    assert over["weighed"]["value"] < shrunk["web"] < web
    assert abs(shrunk["ios"] - ios["difference"]["value"]) < abs(shrunk["web"] - web)
    assert over["weighed"]["method"] == "post-stratified"
    assert over["weighed"]["value"] == pytest.approx(
        found["metrics"][0]["comparisons"][0]["difference"]["value"], abs=5e-3
    )
    shown = analyze(file, "--metric", "converted", "--segment", "platform", screen=True)
    assert "shrunken" in shown
    assert "weighed by their size" in shown


def test_under_bh_parts_have_the_intervals_of_the_false_coverage_rate(table: Write, analyze: Analyze) -> None:
    sizes = {"ios": (4_000, 0.1), "android": (4_000, 0.0), "web": (2_000, 0.0)}
    found = analyze(
        table(parted(np.random.default_rng(1), sizes)),
        "--metric",
        "converted",
        "--segment",
        "platform",
        "--correct",
        "bh",
    )
    parts = [one["metric"]["comparisons"][0] for one in found["parts"]]
    claims = sum(one["standing"] in ("better", "worse") for one in parts)
    assert claims > 0
    assert parts[0]["difference"]["level"] == pytest.approx(1 - 0.05 * claims / 3)


def reached(rng: np.random.Generator, *, moved: float = 0.0) -> str:
    lines = ["user,arm,opened,spent"]
    for at in range(6_000):
        arm = ("off", "on")[at % 2]
        opened = rng.random() < 0.1 + (moved if arm == "on" else 0.0)
        spent = rng.normal(10, 2) + (1.0 if opened and arm == "on" else 0.0) + rng.normal(0, 6) * (not opened)
        lines.append(f"u{at},{arm},{int(opened)},{spent:.4f}")
    return "\n".join(lines)


def test_those_who_were_never_reached_only_dilute(table: Write, analyze: Analyze) -> None:
    file = table(reached(np.random.default_rng(2)))
    found = analyze(file, "--metric", "spent", "--trigger", "opened")
    (one,) = found["triggered"]
    assert one["among"]["low"] < 1.0 < one["among"]["high"]
    assert one["share"] == pytest.approx(0.1, abs=0.02)
    assert one["diluted"]["value"] == pytest.approx(one["share"] * one["among"]["value"])
    whole = found["metrics"][0]["comparisons"][0]["difference"]
    assert one["diluted"]["high"] - one["diluted"]["low"] < 0.3 * (whole["high"] - whole["low"])
    assert "whom it could reach" in analyze(file, "--metric", "spent", "--trigger", "opened", screen=True)


def test_a_trigger_that_the_change_moves_is_no_answer(table: Write, analyze: Analyze) -> None:
    found = analyze(table(reached(np.random.default_rng(2), moved=0.05)), "--metric", "spent", "--trigger", "opened")
    assert "moves who is counted" in found["triggered"][0]["reason"]


def grouped(rng: np.random.Generator, groups: int) -> str:
    lines, user = ["user,arm,company,did"], 0
    for group in range(groups):
        share = rng.beta(2, 4)
        for _ in range(rng.integers(5, 40)):
            user += 1
            lines.append(f"u{user},{('off', 'on')[group % 2]},c{group},{int(rng.random() < share)}")
    return "\n".join(lines)


def test_groups_that_were_drawn_are_the_sample(table: Write, analyze: Analyze) -> None:
    file = table(grouped(np.random.default_rng(3), 60))
    found = analyze(file, "--metric", "did", "--cluster", "company")
    naive = analyze(file, "--metric", "did")["metrics"][0]["comparisons"][0]
    one = found["metrics"][0]["comparisons"][0]
    assert one["difference"]["method"] == "delta, clusters drawn"
    assert (one["n_control"], one["n_treatment"], found["units"]) == (30, 30, {"off": 30, "on": 30})
    assert one["difference"]["value"] == pytest.approx(naive["difference"]["value"])
    assert one["p"] > naive["p"]


def test_few_groups_are_no_answer_however_many_people_they_hold(table: Write, analyze: Analyze) -> None:
    found = analyze(table(grouped(np.random.default_rng(3), 20)), "--metric", "did", "--cluster", "company")
    assert "More groups would give an answer" in found["metrics"][0]["comparisons"][0]["reason"]


def switched(rng: np.random.Generator, blocks: int) -> str:
    """What was before shows for thirty minutes of each period."""
    lines, before = ["period,arm,minute,wait"], 0.0
    for block in range(blocks):
        on = float(rng.random() < 0.5)
        mood = rng.normal(0, 0.3)
        for minute in range(0, 120, 3):
            lasting = before if minute < 30 else on
            lines.append(
                f"b{block},{('off', 'on')[int(on)]},{120 * block + minute},{5 + mood - 2 * lasting + rng.normal():.4f}"
            )
        before = on
    return "\n".join(lines)


def test_periods_that_were_drawn_count_once_each_after_their_burn_in(table: Write, analyze: Analyze) -> None:
    file = table(switched(np.random.default_rng(10), 60))
    words = ("--metric", "wait", "--down", "wait", "--switchback")
    rough = analyze(file, *words, unit="period")
    found = analyze(file, *words, "--time", "minute", "--burn-in", "30", unit="period")
    one = found["metrics"][0]["comparisons"][0]
    assert one["difference"]["low"] < -2 < one["difference"]["high"]
    assert rough["metrics"][0]["comparisons"][0]["difference"]["value"] > one["difference"]["value"] + 0.2
    assert sum(found["units"].values()) == 60
    checks = {check["name"]: check for check in found["health"]}
    assert "600 rows within the first 30" in checks["burn-in"]["sentence"]
    assert checks["periods drawn again"]["standing"] == "ok"
    few = analyze(table(switched(np.random.default_rng(5), 12)), *words, unit="period")
    assert "10 are the least" in few["metrics"][0]["comparisons"][0]["reason"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--switchback", "--cluster", "arm"), "periods are the units"),
        (("--burn-in", "3"), "Say all three, or none"),
        (("--burn-in", "-1", "--time", "value", "--switchback"), "no length"),
        (("--cluster", "user"), "a column of its own"),
        (("--cluster", "team"), "There is no column “team”"),
        (("--trigger", "value", "--repeat", "rows"), "rows stay rows"),
        (("--trigger", "value"), "and nothing else"),
    ],
)
def test_what_cannot_be_asked_is_said(table: Write, analyze: Analyze, words: tuple[str, ...], says: str) -> None:
    lines = "\n".join(f"u{at},{('a', 'b')[at % 2]},{at}" for at in range(60))
    said = analyze(table(f"user,arm,value\n{lines}"), "--metric", "value", *words)
    assert says in said
