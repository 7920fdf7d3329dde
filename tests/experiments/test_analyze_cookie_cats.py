"""The real experiment, from file to verdict, and the page that tells it (docs/cookie-cats.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.experiments.conftest import Analyze

pytestmark = pytest.mark.slow  # 90,000 players: left out of `make quick`

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cookie-cats.md"
METRICS = ("--metric", "retention_7", "--metric", "retention_1", "--metric", "sum_gamerounds:mean")


@pytest.fixture
def cookie_cats(shared_data: Path) -> Path:
    return shared_data / "cookie-cats" / "cookie_cats.csv.gz"


def test_it_finds_what_was_published(analyze: Analyze, cookie_cats: Path) -> None:
    said = analyze(cookie_cats, *METRICS, unit="userid", arm="version")
    day_7, day_1, rounds = said["metrics"]
    assert said["control"] == "gate_30"
    one = day_7["comparisons"][0]
    assert (one["control"], one["treatment"]) == (pytest.approx(0.1902, abs=5e-5), pytest.approx(0.1820, abs=5e-5))
    assert one["p"] == pytest.approx(0.0016, abs=5e-5)
    assert one["standing"] == "worse"
    assert (one["difference"]["low"], one["difference"]["high"]) == (
        pytest.approx(-0.0133, abs=5e-5),
        pytest.approx(-0.0031, abs=5e-5),
    )
    other = day_1["comparisons"][0]
    assert (other["control"], other["treatment"]) == (pytest.approx(0.4482, abs=5e-5), pytest.approx(0.4423, abs=5e-5))
    assert other["difference"]["low"] < 0 < other["difference"]["high"]
    assert other["standing"] == "no answer yet"
    assert rounds["comparisons"][0]["standing"] == "no answer"
    assert rounds["comparisons"][0]["p"] is None
    assert said["sample_ratio"][0]["p"] == pytest.approx(0.0086, abs=5e-5)
    assert said["sample_ratio"][0]["seen"] == {"gate_30": 44_700, "gate_40": 45_489}


def test_it_names_the_player_who_carries_the_mean(analyze: Analyze, cookie_cats: Path) -> None:
    said = analyze(cookie_cats, *METRICS, unit="userid", arm="version")
    outlier = next(check for check in said["health"] if "outlier" in check["name"])
    assert "userid 6390605" in outlier["sentence"]
    assert "49,854" in outlier["sentence"]


def test_the_player_capped_the_rounds_show_no_difference(analyze: Analyze, cookie_cats: Path) -> None:
    said = analyze(cookie_cats, *METRICS, "--cap", "sum_gamerounds=p99.9", unit="userid", arm="version")
    rounds = said["metrics"][2]["comparisons"][0]
    assert rounds["standing"] == "no answer yet"
    assert rounds["difference"]["low"] < 0 < rounds["difference"]["high"]


def test_it_says_what_a_careful_analyst_would(analyze: Analyze, cookie_cats: Path) -> None:
    said = analyze(cookie_cats, *METRICS, unit="userid", arm="version")
    assert said["headline"] == "gate_40 lowered retention_7: 19.02 % became 18.20 %."
    assert "suspicious, not conclusive" in " ".join(said["verdict"])
    assert said["verdict"][-1] == "Stay with gate_30: nothing here speaks for gate_40."
    assert said["trust"] == "look"


def test_the_page_shows_what_the_command_prints(analyze: Analyze, cookie_cats: Path) -> None:
    """Every screen on the page, word for word; widths and colours aside."""
    page = PAGE.read_text("utf-8")
    screens = re.findall(
        r"```\n\$ whytree experiment analyze cookie_cats\.csv\.gz (.*?)\n\n(.*?)```", page, flags=re.DOTALL
    )
    assert len(screens) >= 2
    for command, shown in screens:
        words = command.replace("\\\n", " ").split()
        at = words.index("--unit")
        del words[at : at + 2]
        at = words.index("--arm")
        del words[at : at + 2]
        printed = analyze(cookie_cats, *words, screen=True, unit="userid", arm="version")
        assert shown.split() == printed.split()


def test_it_never_calls_arms_alike_where_another_metric_fell(analyze: Analyze, cookie_cats: Path) -> None:
    said = analyze(cookie_cats, "--metric", "retention_1", "--metric", "retention_7", unit="userid", arm="version")
    verdict = " ".join(said["verdict"])
    assert "retention_7 got worse and nothing got better: stay with gate_30" in verdict
    assert "as alike" not in verdict
