"""What the lines rest on: the ladder, doubts, folders, shares over time; through API, command and page."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.code.conftest import refusal
from tests.code.repositories import Clone
from tests.why.conftest import Tree
from whytree.code.models import Repository
from whytree.learning.models import OutcomeReview
from whytree.learning.reviews.results import Contrast, Figure, Forecast, Result, as_json
from whytree.tree import services
from whytree.why.coverage import answer as answers
from whytree.why.coverage.answer import coverage, share
from whytree.why.models import CoveragePoint
from whytree.workspace.models import Activity

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`


@pytest.fixture
def read(cli: Any, clone: Clone, tree: Tree) -> Clone:
    """4 lines for SOL-1, 2 for SOL-2, 1 for a ticket, 3 for nothing."""
    clone.commit("Add", **{"app/form.py": "a\nb\n", "docs/a.md": "x\n"})
    clone.commit("Defer\n\nWhy: SOL-1", **{"app/form.py": "a\nb\nif c:\n    if d:\n        e\n    f\n"})
    clone.commit("Explain\n\nWhy: SOL-2", **{"app/deep/er/say.py": "1\n2\n"})
    clone.commit("Fixes #7", **{"docs/b.md": "y\n"})
    cli("repository", "add", str(clone.path))
    return clone


def reviewed(solution: Any, verdict: str, *, measured: bool = True) -> OutcomeReview:
    """A decided review of a new prediction, as the learning app stores it."""
    hypothesis = solution.hypotheses.first()
    now = timezone.now()
    figure = Figure(value=2.6, low=0.9, high=4.3, n=900, method="diff")
    contrast = Contrast(
        metric_key="m", metric_name="M", unit="%", difference_unit="pp", window_days=7, difference=figure
    )
    result = Result(
        state="measured" if measured else "no_comparison",
        as_of=now,
        opened_at=now,
        due_at=now,
        flag_key="f",
        forecast=Forecast(low=1, likely=4, high=7, unit="pp"),
        contrast=contrast if measured else None,
    )
    return OutcomeReview.objects.create(
        product=solution.product,
        number=1 + OutcomeReview.objects.count(),
        hypothesis=hypothesis,
        due_at=now,
        filled=as_json(result),
        filled_at=now,
        verdict=verdict,
        decision="keep",
        learning="So it is.",
        decided_at=now,
    )


def predict(actor: Any, solution: Any) -> Any:
    return services.create_hypothesis(
        actor,
        solution,
        change="It is asked later",
        metric_key="activated_7d",
        forecast_low=1.0,
        forecast_likely=4.0,
        forecast_high=7.0,
    )


def shares(product: Any, path: str = "") -> dict[str, int]:
    return {rung: lines for rung, lines in coverage(product, path=path).total.by_rung.items() if lines}


def test_lines_stand_on_users_words_on_a_ticket_or_on_nothing(read: Clone, product: Any) -> None:
    assert shares(product) == {"voices": 6, "ticket": 1, "unexplained": 3}
    first, second = coverage(product).sentences
    assert first == ("70 % of the 10 lines are explained: 60 % by users’ words, 10 % by a ticket or a bare reason.")
    assert second == "None are carried for a hypothesis that was refuted or never measured."


def test_a_reason_that_nobody_asked_for_is_a_bare_one(read: Clone, actor: Any, product: Any, tree: Tree) -> None:
    lone = services.create_opportunity(actor, product, title="Something else")
    services.move_node(actor, tree.explain, lone)
    assert shares(product) == {"voices": 4, "ticket": 3, "unexplained": 3}


def test_a_test_with_a_verdict_lifts_what_was_built_for_it(read: Clone, actor: Any, product: Any, tree: Tree) -> None:
    assumption = services.add_assumption(actor, tree.defer, title="They come back", assumption_type="desirability")
    test = services.plan_test(actor, assumption, title="Ask ten", success_criterion="8 of 10")
    services.start_test(actor, test)
    assert shares(product)["voices"] == 6
    services.conclude_test(actor, test, verdict="invalidated", result="3 of 10")
    assert shares(product) == {"tested": 4, "voices": 2, "ticket": 1, "unexplained": 3}


def test_only_a_decided_review_with_a_difference_is_a_measured_outcome(
    read: Clone, actor: Any, product: Any, tree: Tree
) -> None:
    predict(actor, tree.defer)
    total = coverage(product).total
    assert (total.by_rung["measured"], total.unmeasured, total.refuted) == (0, 4, 0)
    assert coverage(product).sentences[1] == "Carried in doubt: 40 % for hypotheses that nobody has measured."
    review = reviewed(tree.defer, "inconclusive", measured=False)
    act(actor, product)
    assert (coverage(product).total.by_rung["measured"], coverage(product).total.unmeasured) == (0, 0)
    review.delete()
    reviewed(tree.defer, "achieved")
    act(actor, product)
    total = coverage(product).total
    assert (total.by_rung["measured"], total.unmeasured, total.refuted) == (4, 0, 0)


@pytest.mark.parametrize("verdict", ["not_achieved", "harm"])
def test_what_did_not_do_what_it_should_is_carried_in_doubt(
    read: Clone, actor: Any, product: Any, tree: Tree, verdict: str
) -> None:
    predict(actor, tree.defer)
    reviewed(tree.defer, verdict)
    act(actor, product)
    total = coverage(product).total
    assert (total.by_rung["measured"], total.refuted, total.unmeasured) == (4, 4, 0)


def act(actor: Any, product: Any) -> None:
    """Rows above were written past the services, which would have recorded an activity."""
    services.create_solution(actor, product, title="Anything")


def test_a_dropped_solution_is_refuted(read: Clone, actor: Any, product: Any, tree: Tree) -> None:
    services.close_node(actor, tree.explain, reason="Nobody pressed it")
    assert coverage(product).total.refuted == 2


def test_folders_and_files_add_up(read: Clone, product: Any) -> None:
    whole = coverage(product)
    assert [(area.name, area.lines, area.is_file) for area in whole.areas] == [("app", 8, False), ("docs", 2, False)]
    assert sum(area.lines for area in whole.areas) == whole.total.lines
    app = coverage(product, path="app/")
    assert [(area.name, area.path, area.lines, area.is_file) for area in app.areas] == [
        ("form.py", "app/form.py", 6, True),
        ("deep", "app/deep", 2, False),
    ]
    assert coverage(product, path="./app/form.py").total.is_file
    assert not coverage(product, path="app/form.py").areas
    assert app.areas[0].depth == pytest.approx(4 / 6)


def test_the_hottest_is_pointed_out_where_there_are_enough_to_compare(
    cli: Any, clone: Clone, tree: Tree, product: Any
) -> None:
    clone.commit("Add", **{f"{name}.py": "a\n" for name in "abcdef"})
    clone.commit("Nest", **{"c.py": "if a:\n    if b:\n        c\n"})
    cli("repository", "add", str(clone.path))
    Repository.objects.get().commits.update(authored_at=timezone.now())
    areas = coverage(product).areas
    assert [area.name for area in areas if area.is_hot] == []  # counted before the commits were made recent
    answers.cache.clear()
    areas = coverage(product).areas
    assert [area.name for area in areas if area.is_hot] == ["c.py"]
    assert (areas[0].recent_changes, areas[0].changes, areas[0].heat) == (2, 2, 6)


def test_lines_of_today_stand_in_the_month_they_were_written(read: Clone, product: Any) -> None:
    (month,) = coverage(product).months
    assert (month.month, month.by_rung["voices"], month.by_rung["unexplained"]) == ("2026-03", 6, 3)
    assert not coverage(product, path="app").months


def test_each_reading_that_found_something_else_is_kept(read: Clone, cli: Any, product: Any) -> None:
    assert CoveragePoint.objects.count() == 1
    cli("repository", "sync", cwd=read.path)
    assert CoveragePoint.objects.count() == 1
    read.commit("More\n\nWhy: SOL-1", **{"c.py": "c\n"})
    cli("coverage", cwd=read.path)
    assert [point.lines for point in coverage(product).points] == [10, 11]
    assert Activity.objects.filter(verb="keep_coverage").count() == 2


def test_the_command_reads_what_is_new_and_draws_it(read: Clone, cli: Any) -> None:
    read.commit("More", **{"app/new.py": "n\n"})
    output = cli("coverage", cwd=read.path / "app").output
    assert output.startswith("67 % of the 9 lines in app are explained: 67 % by users’ words.")
    assert "form.py" in output
    assert "deep/" in output
    answer = json.loads(cli("coverage", "deep", "--json", cwd=read.path / "app").output)
    assert (answer["path"], answer["total"]["lines"]) == ("app/deep", 2)
    as_before = json.loads(cli("coverage", "--no-sync", "--json", cwd=read.path).output)
    assert as_before["total"]["lines"] == 11


def test_the_command_answers_for_a_repository_that_is_elsewhere(read: Clone, cli: Any, tmp_path: Path) -> None:
    answer = json.loads(cli("coverage", "app", "--repository", "sprout-app", "--json", cwd=tmp_path).output)
    assert answer["total"]["lines"] == 8
    assert "No repository is called gone" in refusal(cli("coverage", "--repository", "gone"))


def test_what_is_not_there_is_a_sentence(cli: Any, clone: Clone, api: Any, read: Clone) -> None:
    other = Clone(clone.path.parent / "other")
    other.commit("x", a="a\n")
    assert "whytree repository add" in refusal(cli("coverage", cwd=other.path))
    assert "whytree repository sync" in refusal(cli("coverage", "nowhere", cwd=read.path))
    answer = api.get("/products/sprout/coverage?within=app/../secret")
    assert answer.status == 404


def test_without_a_repository_the_way_to_one_is_said(api: Any, as_alice: Any, product: Any) -> None:
    answer = api.get("/products/sprout/coverage")
    assert answer.status == 404
    assert "whytree repository add ." in answer.body["message"]
    page = as_alice.get("/p/sprout/coverage")
    assert page.status_code == 200
    assert b"whytree repository add ." in page.content


def test_viewers_read_members_keep_and_strangers_see_nothing(
    read: Clone, api: Any, api_viewer: Any, api_charlie: Any
) -> None:
    pk = Repository.objects.get().pk
    assert api_viewer.get("/products/sprout/coverage").ok["total"]["lines"] == 10
    assert api_viewer.post(f"/products/sprout/repositories/{pk}/coverage").status == 403
    assert api.post(f"/products/sprout/repositories/{pk}/coverage").ok["explained"] == 7
    assert api_charlie.get("/products/sprout/coverage").status == 404
    assert api_charlie.post(f"/products/sprout/repositories/{pk}/coverage").status == 404


def test_the_page_shows_the_same_as_the_command(read: Clone, as_viewer: Any) -> None:
    text = as_viewer.get("/p/sprout/coverage").content.decode()
    assert "70 % of the 10 lines are explained" in text
    assert 'href="/p/sprout/coverage?path=app"' in text
    assert 'aria-label="app/, 8 lines, 75 % explained' in text
    inside = as_viewer.get("/p/sprout/coverage?path=app&sort=explained").content.decode()
    assert 'href="/p/sprout/why?q=app%2Fform.py"' in inside
    assert 'data-key="u"' in inside
    alone = as_viewer.get("/p/sprout/coverage?path=app/form.py").content.decode()
    assert "Why is it here?" in alone
    assert as_viewer.get("/p/sprout/coverage?path=nowhere").status_code == 404


def test_names_of_files_are_text(cli: Any, clone: Clone, tree: Tree, as_alice: Any) -> None:
    clone.commit("Add", **{"<script>alert(1)<\\script>/\x1b[31mred": "a\n", "b\"onclick='x": "b\n"})
    cli("repository", "add", str(clone.path))
    page = as_alice.get("/p/sprout/coverage").content.decode()
    assert "<script>alert" not in page
    assert "\"onclick='x" not in page
    assert "\x1b" not in cli("coverage", cwd=clone.path / "<script>alert(1)<\\script>").output


def test_thousands_of_small_files_are_one_cell_and_stay_in_the_table(
    cli: Any, clone: Clone, tree: Tree, as_alice: Any
) -> None:
    clone.commit("Add", **{f"f{number:03}.py": "a\n" for number in range(250)})
    cli("repository", "add", str(clone.path))
    page = as_alice.get("/p/sprout/coverage").content.decode()
    assert "170 smaller ones, 170 lines" in page
    assert "And 50 more" in page


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 10, "0 %"),
        (1, 1000, "under 1 %"),
        (999, 1000, "over 99 %"),
        (10, 10, "100 %"),
        (1, 3, "33 %"),
        (0, 0, "0 %"),
    ],
)
def test_little_is_not_nothing_and_almost_is_not_all(part: int, whole: int, said: str) -> None:
    assert share(part, whole) == said


def test_the_answer_is_counted_once_and_never_older_than_the_last_act(
    read: Clone, actor: Any, product: Any, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[Any] = []
    count = answers._count
    monkeypatch.setattr(answers, "_count", lambda repository: (counted.append(1), count(repository))[1])
    assert coverage(product).total.refuted == 0
    assert coverage(product, path="app").total.refuted == 0
    services.close_node(actor, tree.defer, reason="No")
    assert coverage(product).total.refuted == 4
    assert len(counted) == 1, "what the reading counted was remembered"


def test_it_asks_no_more_of_the_database_for_more_commits(
    read: Clone, cli: Any, product: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        read.commit(f"Add number {number}", **{f"more{number}.py": f"x = {number}\n"})
    cli("repository", "sync", str(read.path))
    with django_assert_max_num_queries(20):
        files, _ = answers._count(Repository.objects.get())
    assert len(files) == 24
