"""``whytree experiment analyze``: what it compares, and how it answers bad tables and bad wishes."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.experiments.conftest import Analyze, rows

pytestmark = pytest.mark.slow  # real files, a process for some of them: left out of `make quick`

Write = Callable[..., Path]
RNG = np.random.default_rng(42)


def numbers(mean: float, n: int = 200, spread: float = 1.0) -> list[object]:
    return [f"{value:.4f}" for value in RNG.normal(mean, spread, n)]


def truths(share: float, n: int = 400) -> list[object]:
    return [int(value) for value in np.arange(n) < share * n]


def check(said: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in said["health"] if name in one["name"])


def first(said: dict[str, Any]) -> dict[str, Any]:
    one: dict[str, Any] = said["metrics"][0]["comparisons"][0]
    return one


# --- what is compared ------------------------------------------------------------------------------------------------


def test_zeros_and_ones_are_a_proportion_and_other_numbers_a_mean(analyze: Analyze, table: Write) -> None:
    shares = analyze(table(rows({"a": truths(0.2), "b": truths(0.4)})), "--metric", "value")
    assert (shares["metrics"][0]["kind"], first(shares)["standing"]) == ("proportion", "better")
    means = analyze(table(rows({"a": numbers(5), "b": numbers(4)})), "--metric", "value")
    assert (means["metrics"][0]["kind"], first(means)["standing"]) == ("mean", "worse")


def test_less_may_be_better(analyze: Analyze, table: Write) -> None:
    file = table(rows({"a": numbers(5), "b": numbers(4)}))
    assert first(analyze(file, "--metric", "value", "--down", "value"))["standing"] == "better"


def test_words_for_truth_are_numbers(analyze: Analyze, table: Write) -> None:
    words: dict[str, list[object]] = {"a": ["TRUE", "no"] * 100, "b": ["yes", "False", "t", "1"] * 50}
    said = analyze(table(rows(words)), "--metric", "value")
    assert [one["value"] for one in said["metrics"][0]["arms"]] == [0.5, 0.75]


def test_an_arm_called_control_is_the_control_else_the_first_by_name(analyze: Analyze, table: Write) -> None:
    assert (
        analyze(table(rows({"blue": numbers(1), "control": numbers(1)})), "--metric", "value")["control"] == "control"
    )
    assert analyze(table(rows({"new": numbers(1), "before": numbers(1)})), "--metric", "value")["control"] == "before"
    file = table(rows({"new": numbers(1), "before": numbers(1)}))
    assert analyze(file, "--metric", "value", "--control", "new")["control"] == "new"


def test_a_guardrail_is_held_against_its_margin(analyze: Analyze, table: Write) -> None:
    file = table(rows({"a": truths(0.5, 8_000), "b": truths(0.495, 8_000)}))
    wide, narrow = (analyze(file, "--metric", "value", "--margin", f"value={margin}") for margin in ("3pp", "1pp"))
    assert first(wide)["standing"] == "not worse"
    assert wide["headline"] == "Nothing got worse by more than was allowed: value."
    assert first(narrow)["standing"] == "no answer yet"
    relative = analyze(file, "--metric", "value", "--margin", "value=6%")
    assert first(relative)["margin"] == pytest.approx(0.03)
    harmed = analyze(
        table(rows({"a": truths(0.5, 8_000), "b": truths(0.4, 8_000)})), "--metric", "value", "--margin", "value=3pp"
    )
    assert first(harmed)["standing"] == "harm"
    assert any("Do not ship" in sentence for sentence in harmed["verdict"])


def test_a_covariate_narrows_the_interval_and_says_by_how_much(analyze: Analyze, table: Write) -> None:
    lines = ["user,arm,before,value"]
    for user in range(600):
        before = RNG.normal(10, 3)
        lines.append(f"{user},{'ab'[user % 2]},{before:.3f},{before + RNG.normal(0, 1) + user % 2 * 0.3:.3f}")
    file = table("\n".join(lines))
    plain, adjusted = analyze(file, "--metric", "value"), analyze(file, "--metric", "value", "--covariate", "before")
    width = [first(one)["difference"]["high"] - first(one)["difference"]["low"] for one in (plain, adjusted)]
    assert width[1] < 0.5 * width[0]
    assert first(adjusted)["variance_reduction"] == pytest.approx(0.9, abs=0.05)


def test_a_covariate_that_the_change_moved_is_called_out(analyze: Analyze, table: Write) -> None:
    lines = ["user,arm,after,value"]
    for user in range(600):
        after = RNG.normal(10 + 2 * (user % 2), 3)
        lines.append(f"{user},{'ab'[user % 2]},{after:.3f},{after:.3f}1")
    said = analyze(table("\n".join(lines)), "--metric", "value", "--covariate", "after")
    assert check(said, "differs beforehand")["standing"] == "broken"
    assert said["verdict"][-1] == "Decide nothing from it before that is cleared."


def test_several_metrics_know_of_each_other(analyze: Analyze, table: Write) -> None:
    lines = ["user,arm,m0,m1,m2,m3"] + [
        f"{u},{'ab'[u % 2]}," + ",".join(f"{RNG.normal():.3f}" for _ in "0123") for u in range(400)
    ]
    words = [word for at in range(4) for word in ("--metric", f"m{at}")]
    holm, none = (analyze(table("\n".join(lines)), *words, "--correct", how) for how in ("holm", "none"))
    assert holm["metrics"][0]["comparisons"][0]["p_adjusted"] == holm["metrics"][0]["comparisons"][0]["p"]
    assert [one["comparisons"][0]["difference"]["level"] for one in holm["metrics"][1:]] == [
        pytest.approx(1 - 0.05 / 3)
    ] * 3
    for corrected, plain in zip(holm["metrics"][1:], none["metrics"][1:], strict=True):
        assert corrected["comparisons"][0]["p_adjusted"] >= plain["comparisons"][0]["p_adjusted"]


def test_three_arms_get_chances_of_being_best(analyze: Analyze, table: Write) -> None:
    said = analyze(table(rows({"a": numbers(1), "b": numbers(1.1), "c": numbers(2)})), "--metric", "value")
    best = {one["arm"]: one["best"] for one in said["metrics"][0]["best"]}
    assert best["c"] > 0.999
    assert sum(best.values()) == pytest.approx(1)


def test_looking_early_widens_the_interval(analyze: Analyze, table: Write) -> None:
    file = table(rows({"a": numbers(1), "b": numbers(1.2)}))
    fixed, sequential = analyze(file, "--metric", "value"), analyze(file, "--metric", "value", "--sequential")
    assert first(sequential)["difference"]["low"] < first(fixed)["difference"]["low"]
    assert first(sequential)["p"] > first(fixed)["p"]
    assert first(sequential)["difference"]["method"] == "asymptotic confidence sequence"


def test_a_planned_look_costs_early_and_hardly_at_the_end(analyze: Analyze, table: Write) -> None:
    file = table(rows({"a": truths(0.2), "b": truths(0.28)}))
    fixed, early, last = (
        analyze(file, "--metric", "value", *words) for words in ((), ("--look", "1/5"), ("--look", "5/5"))
    )
    lows = [first(one)["difference"]["low"] for one in (fixed, last, early)]
    assert lows[0] > lows[1] > lows[2]
    assert first(fixed)["p"] < first(last)["p"] < 1.3 * first(fixed)["p"]
    assert (first(fixed)["standing"], first(last)["standing"], first(early)["standing"]) == (
        "better",
        "better",
        "no answer yet",
    )
    assert early["look"] == "1/5"


def test_a_prior_pulls_towards_what_past_effects_were(analyze: Analyze, table: Write) -> None:
    file = table(rows({"a": truths(0.2), "b": truths(0.3)}))
    flat, informed = analyze(file, "--metric", "value"), analyze(file, "--metric", "value", "--prior", "value=0:1pp")
    assert first(flat)["belief"]["mean"] == pytest.approx(0.1)
    assert 0 < first(informed)["belief"]["mean"] < 0.03
    assert first(informed)["belief"]["prior"] == "0 pp ± 1 pp"


def test_a_ratio_and_a_quantile(analyze: Analyze, table: Write) -> None:
    lines = ["user,arm,revenue,sessions"] + [
        f"{u},{'ab'[u % 2]},{RNG.gamma(2, 3):.3f},{RNG.poisson(3) + 1}" for u in range(600)
    ]
    said = analyze(
        table("\n".join(lines)), "--metric", "revenue/sessions", "--metric", "revenue:p90", "--metric", "revenue:median"
    )
    assert [one["kind"] for one in said["metrics"]] == ["ratio", "quantile", "quantile"]
    assert [one["name"] for one in said["metrics"]] == ["revenue/sessions", "revenue:p90", "revenue:median"]
    assert all(one["comparisons"][0]["difference"] for one in said["metrics"])


# --- rows and units --------------------------------------------------------------------------------------------------


def test_a_unit_in_two_arms_is_set_aside_and_counted(analyze: Analyze, table: Write) -> None:
    text = rows({"a": numbers(1), "b": numbers(1)}) + "u1,b,5\nu2,b,6\n"
    said = analyze(table(text), "--metric", "value")
    assert said["units"] == {"a": 198, "b": 200}
    assert "2 units are in more than one arm and left out (u1, u2)" in check(said, "two arms")["sentence"]


def test_a_row_repeated_word_for_word_counts_once(analyze: Analyze, table: Write) -> None:
    text = rows({"a": numbers(1), "b": numbers(1)})
    said = analyze(table(text + text.partition("\n")[2]), "--metric", "value")
    assert said["units"] == {"a": 200, "b": 200}
    assert check(said, "repeats")["standing"] == "ok"


def test_rows_of_a_unit_that_differ_are_set_aside_until_somebody_says_what_they_make(
    analyze: Analyze, table: Write
) -> None:
    file = table(rows({"a": numbers(1), "b": numbers(1)}) + "u1,a,99\n")
    aside = analyze(file, "--metric", "value")
    assert aside["units"]["a"] == 199
    assert "--repeat sum" in check(aside, "repeats")["sentence"]
    assert analyze(file, "--metric", "value", "--repeat", "max")["metrics"][0]["arms"][0]["units"] == 200


@pytest.mark.parametrize(("how", "mean"), [("sum", 6.0), ("mean", 3.0), ("max", 4.0), ("last", 4.0)])
def test_rows_of_a_unit_are_folded(analyze: Analyze, table: Write, how: str, mean: float) -> None:
    lines = ["user,arm,value"] + [f"{u},{'ab'[u % 2]},{value}" for u in range(60) for value in (2, 4)]
    said = analyze(table("\n".join(lines)), "--metric", "value", "--repeat", how)
    assert said["metrics"][0]["arms"][0] == {"arm": "a", "units": 30, "value": mean}


def test_rows_kept_are_compared_over_units(analyze: Analyze, table: Write) -> None:
    lines = ["user,arm,latency"]
    for user in range(200):
        mood = RNG.lognormal(3, 0.5)
        lines += [f"{user},{'ab'[user % 2]},{mood * RNG.lognormal(0, 0.1):.2f}" for _ in range(10)]
    said = analyze(table("\n".join(lines)), "--metric", "latency:median", "--metric", "latency", "--repeat", "rows")
    assert said["units"] == {"a": 100, "b": 100}
    assert first(said)["difference"]["method"] == "order statistics, clustered"
    assert said["metrics"][1]["comparisons"][0]["difference"]["method"] == "delta"


# --- the draw --------------------------------------------------------------------------------------------------------


def test_a_broken_draw_stops_the_verdict_and_lists_likely_causes(analyze: Analyze, table: Write) -> None:
    said = analyze(table(rows({"a": truths(0.2, 4_000), "b": truths(0.4, 3_000)})), "--metric", "value")
    assert check(said, "sample ratio")["standing"] == "broken"
    assert "Likely: one arm loses users" in check(said, "sample ratio")["sentence"]
    assert said["trust"] == "broken"
    assert said["headline"].startswith("Not to be trusted yet.")
    assert said["verdict"][-1] == "Decide nothing from it before that is cleared."


@pytest.mark.parametrize("weights", ["4:3", "a=4,b=3", "0.5714:0.4286", "57.14%:42.86%"])
def test_planned_weights_are_what_sizes_are_held_against(analyze: Analyze, table: Write, weights: str) -> None:
    file = table(rows({"a": truths(0.2, 4_000), "b": truths(0.2, 3_000)}))
    assert analyze(file, "--metric", "value", "--weights", weights)["sample_ratio"][0]["standing"] == "ok"


def test_an_arm_with_a_weight_and_no_units_is_named(analyze: Analyze, table: Write) -> None:
    file = table(rows({"a": truths(0.2), "b": truths(0.2)}))
    said = analyze(file, "--metric", "value", "--weights", "a=1,b=1,c=1")
    assert "No unit is in c" in check(said, "sample ratio")["sentence"]
    assert said["sample_ratio"][0]["seen"]["c"] == 0


def test_a_draw_that_is_broken_in_one_segment_is_found_there(analyze: Analyze, table: Write) -> None:
    lines, user = ["user,arm,platform,value"], 0
    for platform, a, b in (("web", 2_000, 2_350), ("ios", 2_000, 1_650), ("android", 1_000, 1_000)):
        for arm, count in (("a", a), ("b", b)):
            for _ in range(count):
                user += 1
                lines.append(f"{user},{arm},{platform},{user % 2}")
    said = analyze(table("\n".join(lines)), "--metric", "value", "--segment", "platform")
    assert said["sample_ratio"][0]["standing"] == "ok"
    found = {one["segment"]: one["standing"] for one in said["sample_ratio"]}
    assert (found["web"], found["ios"], found["android"]) == ("broken", "broken", "ok")


# --- numbers that are none -------------------------------------------------------------------------------------------


def test_cells_without_a_number_are_counted_and_named(analyze: Analyze, table: Write) -> None:
    odd: list[object] = ["", "NaN", "inf", "-1e200", "lots"]
    said = analyze(table(rows({"a": numbers(1) + odd, "b": numbers(1) + odd})), "--metric", "value")
    sentence = check(said, "value: no number")["sentence"]
    assert "4 empty" in sentence
    assert "4 infinite or beyond 1e100" in sentence
    assert "2 text (row 206 “lots”" in sentence
    assert said["metrics"][0]["arms"][0]["units"] == 200


def test_a_metric_missing_more_often_in_one_arm_breaks_the_comparison(analyze: Analyze, table: Write) -> None:
    gaps: list[object] = [""]
    said = analyze(table(rows({"a": numbers(1), "b": numbers(1, 150) + gaps * 50})), "--metric", "value")
    assert check(said, "missing unevenly")["standing"] == "broken"
    assert said["trust"] == "broken"


def test_a_row_too_short_is_left_out_and_counted(analyze: Analyze, table: Write) -> None:
    said = analyze(table(rows({"a": numbers(1), "b": numbers(1)}) + "u900,a\n"), "--metric", "value")
    assert "1 row could not be read" in check(said, "rows")["sentence"]
    assert "row 402: it has 2 cells and the header has 3 (line 402)" in check(said, "rows")["sentence"]


def test_a_file_cut_off_is_not_judged(analyze: Analyze, tmp_path: Path) -> None:
    whole = gzip.compress(rows({"a": numbers(1, 4_000), "b": numbers(1, 4_000)}).encode())
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(whole[: len(whole) * 3 // 4])
    said = analyze(path, "--metric", "value")
    assert isinstance(said, str) or check(said, "file")["standing"] == "broken"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"a": [3] * 50, "b": [3] * 50}, "same value"),
        ({"a": [0] * 50, "b": [0] * 50}, "Nobody did it"),
        ({"a": [1.5], "b": [2.5] * 50}, "too few"),
        ({"a": [1.5], "b": [2.5]}, "too few"),
        ({"a": [1e-200, 2e-200] * 50, "b": [1e-200, 3e-200] * 50}, "same value"),
    ],
)
def test_where_nothing_can_be_said_it_says_so(
    analyze: Analyze, table: Write, values: dict[str, list[object]], words: str
) -> None:
    said = analyze(table(rows(values)), "--metric", "value")
    one = first(said)
    assert (one["standing"], one["p"], one["difference"]) == ("no answer", None, None)
    assert words in one["reason"]
    assert "gives no answer" in said["headline"]


def test_an_arm_in_which_nothing_varies_beside_one_that_does(analyze: Analyze, table: Write) -> None:
    one = first(analyze(table(rows({"a": [0] * 50, "b": numbers(1)})), "--metric", "value"))
    assert one["standing"] == "better"
    assert one["relative"] is None


@pytest.mark.parametrize("size", [1e-30, 1e30, 1e99])
def test_a_metrics_unit_does_not_change_the_answer(analyze: Analyze, table: Write, size: float) -> None:
    values = {arm: [float(str(value)) for value in numbers(mean)] for arm, mean in (("a", 5), ("b", 4.8))}
    plain, scaled = (
        first(
            analyze(
                table(rows({arm: [repr(value * by) for value in some] for arm, some in values.items()})),
                "--metric",
                "value",
            )
        )
        for by in (1.0, size)
    )
    assert scaled["p"] == pytest.approx(plain["p"], rel=1e-6)
    assert scaled["difference"]["low"] == pytest.approx(plain["difference"]["low"] * size, rel=1e-6)


def test_a_zero_baseline_has_no_relative_change(analyze: Analyze, table: Write) -> None:
    said = analyze(table(rows({"a": numbers(0), "b": numbers(1)})), "--metric", "value")
    assert first(said)["relative"] is None
    assert "Read the absolute difference" in first(said)["no_relative"]


def test_a_metric_ruled_by_few_gets_no_interval(analyze: Analyze, table: Write) -> None:
    buyers: list[object] = [0] * 970 + [f"{value:.2f}" for value in RNG.lognormal(3, 1, 30)]
    said = analyze(table(rows({"a": buyers, "b": buyers})), "--metric", "value")
    assert "Only 30 units of an arm have another value than 0" in first(said)["reason"]


# --- wishes that cannot be met ---------------------------------------------------------------------------------------

GOOD = rows({"a": [1, 2.5] * 20, "b": [2, 3.5] * 20})


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--metric", "reventue"], "There is no column “reventue”. The columns are “user”, “arm”, “value”."),
        (["--metric", "value:mode"], "“mode” is no kind of metric"),
        (["--metric", "value", "--metric", "value:mean"], "is asked for twice"),
        (["--metric", "arm"], "is the arm and cannot be a metric"),
        (["--metric", "value:proportion"], "is no proportion: it holds 2.5"),
        (["--metric", "value:count"], "is no count: it holds 2.5"),
        (["--metric", "value", "--control", "z"], "No unit is in “z”. The arms in “arm” are a, b."),
        (["--metric", "value", "--weights", "50:40:10"], "gives 3 weights and there are 2 arms"),
        (["--metric", "value", "--weights", "0.5:0.4"], "add up to 0.9 and not to 1"),
        (["--metric", "value", "--weights", "50%:40%"], "add up to 90 and not to 100"),
        (["--metric", "value", "--weights", "a=1"], "gives no weight to “b”"),
        (["--metric", "value", "--weights", "a:b"], "“a” is no weight"),
        (["--metric", "value", "--weights", "-1:2"], "“-1” is no weight"),
        (["--metric", "value", "--cap", "value=p30"], "would change half of the values"),
        (["--metric", "value", "--cap", "value=lots"], "is no cap"),
        (["--metric", "value", "--cap", "other=p99"], "names “other”, which is no metric here"),
        (["--metric", "value", "--margin", "value"], "cannot be read. Write --margin"),
        (["--metric", "value", "--margin", "value=-1"], "allows nothing"),
        (["--metric", "value", "--margin", "value=1 furlong"], "is no amount"),
        (["--metric", "value", "--prior", "value=1"], "is no prior"),
        (["--metric", "value", "--prior", "value=0:0"], "nothing left to learn"),
        (["--metric", "value", "--prior", "value=1pp:2"], "different units"),
        (["--metric", "value", "--covariate", "value"], "cannot be a covariate too"),
        (["--metric", "value", "--correct", "guess"], "is no correction"),
        (["--metric", "value", "--repeat", "shuffle"], "cannot be done with a unit's rows"),
        (["--metric", "value", "--look", "6/5"], "“6/5” is no look"),
        (["--metric", "value", "--look", "2/5", "--sequential"], "Choose the one that was planned"),
        (["--metric", "value", "--level", "1"], "makes no interval"),
        (["--metric", "value:p0"], "is no quantile"),
    ],
)
def test_it_refuses_and_says_what_would_do(analyze: Analyze, table: Write, words: list[str], sentence: str) -> None:
    answer = analyze(table(GOOD), *words)
    assert isinstance(answer, str)
    assert sentence in answer


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("user,arm,value\n", "No row has both"),
        (rows({"a": [1, 2]}), "All units are in “a”"),
        (rows({f"arm{n}": [1] for n in range(11)}), "has 11 different values"),
        (rows({"a": ["x"] * 9, "b": ["z"] * 9}), "holds no number in any row (“x”, say)"),
        ("user;arm;value\nu1;a;2,5\nu2;b;3,5\n", "Write decimals with a point."),
        (rows({"a": [1.5], "b" * 200: [1.5]}), "that is no arm's name"),
        (rows({"a": [""] * 9, "b": [""] * 9}), "holds no number in any row."),
    ],
)
def test_it_refuses_a_table_that_is_no_experiment(analyze: Analyze, table: Write, text: str, sentence: str) -> None:
    answer = analyze(table(text), "--metric", "value")
    assert isinstance(answer, str)
    assert sentence in answer


def test_the_unit_cannot_be_the_arm(analyze: Analyze, table: Write) -> None:
    assert "are one column" in analyze(table(GOOD), "--metric", "value", unit="arm")


def test_a_file_that_is_not_there_is_a_sentence(analyze: Analyze, tmp_path: Path) -> None:
    assert "There is no file" in analyze(tmp_path / "nothing.csv", "--metric", "value")


def test_names_that_are_commands_to_a_terminal_are_shown_and_not_obeyed(analyze: Analyze, table: Write) -> None:
    text = rows({"b": numbers(1), "c\x1b[31m": numbers(2)}, header="user,arm,va\x1b]0;lue")
    printed = analyze(table(text), "--metric", "va\x1b]0;lue", screen=True)
    assert "\x1b" not in printed
    assert "c␛[31m" in printed


# --- the door --------------------------------------------------------------------------------------------------------


def test_the_screen_begins_with_the_sentence_and_draws_zero(analyze: Analyze, table: Write) -> None:
    printed = analyze(table(rows({"a": truths(0.2), "b": truths(0.4)})), "--metric", "value", screen=True)
    lines = printed.splitlines()
    assert lines[0] == "b raised value: 20.00 % became 40.00 %."
    drawn = next(line for line in lines if "●" in line)
    assert "│" in drawn
    assert drawn.index("│") < drawn.index("├")


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet", "csv.gz"])
def test_every_format_gives_the_same_answer(analyze: Analyze, table: Write, tmp_path: Path, form: str) -> None:
    text = rows({"a": numbers(5), "b": numbers(4)})
    expected = analyze(table(text), "--metric", "value")
    lines = list(csv.DictReader(text.splitlines()))
    path = tmp_path / f"other.{form}"
    if form == "tsv":
        path.write_text(text.replace(",", "\t"))
    elif form == "jsonl":
        path.write_text("\n".join(json.dumps({**line, "value": float(line["value"])}) for line in lines))
    elif form == "parquet":
        import pyarrow
        import pyarrow.parquet

        columns = {name: [line[name] for line in lines] for name in ("user", "arm")}
        values = pyarrow.array([float(line["value"]) for line in lines])
        pyarrow.parquet.write_table(pyarrow.table({**columns, "value": values}), path)
    elif form == "csv.gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    said = analyze(path, "--metric", "value")
    assert {**said, "file": ""} == {**expected, "file": ""}


@pytest.mark.parametrize("of", ["analyze", "before-after"])
def test_it_needs_neither_django_nor_a_data_folder(table: Write, tmp_path: Path, of: str) -> None:
    script = (
        "import sys, atexit; from whytree.site.cli import main\n"
        "atexit.register(lambda: print(sorted({'django', 'chdb', 'rich.console', 'scipy.stats'} & set(sys.modules)), file=sys.stderr))\n"
        "main()\n"
    )
    data = tmp_path / "data"
    days = "day,value\n" + "".join(f"{date(2026, 1, 1) + timedelta(days=at)},{at % 7 + at % 5}\n" for at in range(100))
    file, more = (GOOD, ["--unit", "user", "--arm", "arm"]) if of == "analyze" else (days, ["--at", "2026-03-20"])
    done = subprocess.run(
        [sys.executable, "-c", script, "experiment", of, str(table(file)), *more, "--metric", "value", "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "WHYTREE_DATA": str(data), "PATH": ""},
    )
    assert done.stderr.strip() == "[]"
    assert not data.exists()
    said = json.loads(done.stdout)
    assert said["version"] == 1 if of == "analyze" else "shows no step" in said["sentence"]


def test_a_unit_in_two_arms_is_found_beside_one_without_an_arm(analyze: Analyze, table: Write) -> None:
    text = rows({"a": truths(0.2), "b": truths(0.3)}) + "u1,b,5\nlost,,6\n"  # as many units as rows with an arm
    said = analyze(table(text), "--metric", "value")
    assert said["units"] == {"a": 399, "b": 400}
