"""The whole chain on files nobody here wrote: events, an outcome, voices, evidence, and our own repository's lines.

docs/real-input.md tells the same story for people.
"""

import csv
import gzip
import json
import subprocess
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers import ROOT, Live

pytestmark = [pytest.mark.live, pytest.mark.slow]

WINDOW = timedelta(days=7)


@pytest.fixture
def shop(tmp_path: Path, begun: Callable[[Path], Path], start: Callable[..., Live]) -> Live:
    return start(begun(tmp_path / "live"))


def _bought_within_a_week(file: Path) -> tuple[int, int]:
    """People who viewed a product and whose week is over, and how many of them bought in it: read off the file, in Python."""
    views: dict[str, list[datetime]] = defaultdict(list)
    purchases: dict[str, list[datetime]] = defaultdict(list)
    last = datetime.min
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            at = datetime.fromisoformat(row["timestamp"])
            last = max(last, at)
            if row["event"] == "product_view":
                views[row["user_id"]].append(at)
            elif row["event"] == "purchase":
                purchases[row["user_id"]].append(at)
    entered = {person: min(times) for person, times in views.items()}
    converted = [
        person for person, at in entered.items() if any(at <= bought <= at + WINDOW for bought in purchases[person])
    ]
    return len(entered), len(converted)


def test_from_a_shops_clicks_to_a_line_of_our_own_source(shop: Live, shared_data: Path, tmp_path: Path) -> None:
    clicks = shared_data / "shop-clickstream" / "ecom.csv.gz"
    run = shop.cli_json("import", "events", str(clicks))
    assert run["created"] == 31_106
    assert shop.cli_json("import", "events", str(clicks))["created"] == 0, "the second time nothing is new"

    _an_outcome_measures_itself(shop, clicks)
    _voices_become_evidence(shop, shared_data / "play-reviews" / "greenlight.csv.gz")
    _a_line_of_ours_says_why(shop)


def _an_outcome_measures_itself(shop: Live, clicks: Path) -> None:
    shop.cli("metric", "add", "bought_7d", "--from", "product_view", "--to", "purchase", "--within", "7")
    measured = shop.cli_json("metric", "show", "bought_7d", "--days", "366")
    entered, bought = _bought_within_a_week(clicks)
    assert measured["n"] + measured["open"] == entered
    if measured["open"] == 0:
        assert measured["numerator"] == bought
    assert measured["low"] < measured["value"] < measured["high"]
    made = shop.cli_json(
        "outcome", "add", "People who look at a product buy it", "--metric", "bought_7d", "--target", "40"
    )
    assert made["ref"] == "OUT-1"


def _voices_become_evidence(shop: Live, reviews: Path) -> None:
    first = shop.cli_json("import", "feedback", str(reviews), "--source", "Google Play", "--type", "review")
    assert first["created"] == 6_443
    again = shop.cli_json("import", "feedback", str(reviews), "--source", "Google Play", "--type", "review")
    assert (again["created"], again["updated"]) == (0, 0)

    shop.cli("opportunity", "add", "I cannot tell where my money went", "--under", "OUT-1")
    found = shop.cli_json("feedback", "search", "money transfer", "--limit", "3")["items"]
    assert len(found) == 3
    for item in found:
        shop.cli("feedback", "link", item["ref"], "OPP-1", "--importance", "2")
    tree = json.dumps(shop.cli_json("tree"))
    assert "OPP-1" in tree
    evidence = shop.cli_json("why", "OPP-1")["evidence"]
    assert len(evidence) == 3


def _a_line_of_ours_says_why(shop: Live) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("our own history is not here")
    shop.cli("product", "add", "Whytree")
    ours: dict[str, Any] = {"cwd": ROOT}
    shop.env["WHYTREE_PRODUCT"] = "whytree"
    shop.cli("import", "tree", "docs/why/tree.json", **ours)
    shop.cli("repository", "add", ".", **ours)
    line = _line_of("src/whytree/engines/stats/draw.py", "def sample_ratio")
    answer = shop.cli_json("why", f"src/whytree/engines/stats/draw.py:{line}", **ours)
    assert answer["explained"] is True
    assert answer["solution"]["ref"] == "SOL-6"
    assert answer["outcome"]["ref"] == "OUT-1"
    assert answer["links"][0]["provenance"] == "stated"
    assert set(answer) >= {
        "ref",
        "lines",
        "commit",
        "ticket",
        "solution",
        "hypothesis",
        "opportunity",
        "evidence",
        "outcome",
        "review",
    }
    assert answer["ticket"] is None


def _line_of(path: str, words: str) -> int:
    """A committed line: what is being edited has no commit to ask."""
    text = subprocess.run(["git", "show", f"HEAD:{path}"], cwd=ROOT, text=True, capture_output=True, check=True).stdout
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(words))
