"""A flag goes by decision: what each waits for, and where the code of those that can go stands."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.code.repositories import Clone
from whytree.code import services as code
from whytree.code.references.flag_references import FlagReading, PushedExtinction, PushedReference, push_flag_references
from whytree.flags.in_code.retiring import Standing, removable, retirement_of, served_to_all
from whytree.flags.models import Flag
from whytree.flags.queries import find_flag
from whytree.flags.services import archive_flag, create_flag, edit_flag, open_flag, turn_off
from whytree.tree import services as tree
from whytree.tree.models import State

ROOT, REV = "a" * 40, "b" * 40


@pytest.fixture
def flag(actor: Any, product: Any, solution: Any) -> Any:
    return create_flag(actor, product, key="defer", solution=solution)


@pytest.fixture
def repository(actor: Any, product: Any) -> Any:
    return code.register_repository(actor, product, name="app", root_sha=ROOT, with_code=True)


def decide(actor: Any, solution: Any, *states: State) -> None:
    for state in states:
        reason = "It did harm." if state is State.DROPPED else ""
        solution = tree.set_state(actor, solution, state, reason=reason)


def stands(actor: Any, repository: Any, *lines: int) -> None:
    places = [PushedReference("defer", "a.py", line, "resolved", hunk="<b>code</b>") for line in lines]
    push_flag_references(actor, repository, ROOT, FlagReading(REV, ["defer"], places))


def standing(flag: Any) -> tuple[Standing, str]:
    found = retirement_of(find_flag(flag.product, flag.key))
    return found.standing, found.keep


def test_a_flag_without_a_solution_is_never_decided(actor: Any, product: Any) -> None:
    assert standing(create_flag(actor, product, key="x")) == (Standing.UNJUSTIFIED, "")


@pytest.fixture
def hypothesis(actor: Any, solution: Any) -> Any:
    numbers = {"forecast_low": 1.0, "forecast_likely": 2.0, "forecast_high": 3.0}
    return tree.create_hypothesis(actor, solution, change="Ask later", metric_key="signed_up", **numbers)


def test_a_flag_without_a_hypothesis_is_unjustified_until_its_solution_is_decided(
    actor: Any, flag: Any, solution: Any, hypothesis: Any
) -> None:
    assert standing(flag) == (Standing.UNJUSTIFIED, "")
    assert "tests no hypothesis of SOL-1" in retirement_of(find_flag(flag.product, flag.key)).says
    edit_flag(actor, flag.product, flag.key, hypothesis=hypothesis)
    assert standing(flag) == (Standing.RUNNING, "")
    edit_flag(actor, flag.product, flag.key, hypothesis=None)
    decide(actor, solution, State.LIVE, State.MEASURED, State.KEPT)
    assert standing(flag)[0] is Standing.DECIDED, "a decision is a decision"


def test_age_only_breaks_ties(actor: Any, product: Any, solution: Any, repository: Any) -> None:
    for key in ("b-young", "a-old", "c-many"):
        create_flag(actor, product, key=key, solution=solution)
    Flag.objects.filter(key="a-old").update(created_at=timezone.now() - timedelta(days=900))
    places = [PushedReference(key, "a.py", line, "resolved") for line, key in enumerate(("b-young", "a-old"), 1)]
    places += [PushedReference("c-many", "b.py", line, "resolved") for line in (1, 2)]
    push_flag_references(actor, repository, ROOT, FlagReading(REV, ["b-young", "a-old", "c-many"], places))
    decide(actor, solution, State.LIVE, State.ROLLED_BACK)
    assert [one.flag.key for one in removable(product)] == ["c-many", "a-old", "b-young"]


def test_flags_are_listed_by_how_far_they_are_with_the_reason(
    actor: Any, product: Any, flag: Any, api: Any, api_charlie: Any, as_alice: Any
) -> None:
    path = "/products/sprout/flag-retirements"
    (found,) = api.get(f"{path}?state=unjustified").ok
    assert (found["key"], found["standing"]) == ("defer", "unjustified")
    assert api.get(f"{path}?state=running").ok == []
    assert api.get(f"{path}?state=stale").status == 400
    assert api_charlie.get(f"{path}?state=running").status == 404
    page = as_alice.get("/p/sprout/flags").content.decode()
    assert "When it goes" in page
    assert "tests no hypothesis of SOL-1" in page


def test_an_open_question_keeps_a_flag_however_old_it_is(
    actor: Any, flag: Any, repository: Any, hypothesis: Any
) -> None:
    edit_flag(actor, flag.product, flag.key, hypothesis=hypothesis)
    Flag.objects.update(created_at=timezone.now() - timedelta(days=900))
    stands(actor, repository, 1)
    open_flag(actor, flag.product, flag.key, coverage=10000, weights={"on": 1})
    assert standing(flag) == (Standing.RUNNING, "")


def test_a_kept_one_goes_once_everybody_gets_it_and_the_code_is_known(
    actor: Any, product: Any, flag: Any, repository: Any
) -> None:
    open_flag(actor, product, flag.key, coverage=2500)
    decide(actor, flag.solution, State.LIVE, State.MEASURED, State.KEPT)
    assert standing(flag) == (Standing.DECIDED, "")
    open_flag(actor, product, flag.key, coverage=10000, weights={"on": 1, "off": 0})
    assert standing(flag) == (Standing.DECIDED, "on")  # nobody looked for it in code yet
    stands(actor, repository, 3, 9)
    assert standing(flag) == (Standing.READY, "on")
    assert [one.command for one in removable(product)] == ["whytree flag remove defer --keep on"]


def test_one_that_was_rolled_back_goes_once_it_is_off(actor: Any, product: Any, flag: Any, repository: Any) -> None:
    stands(actor, repository, 1)
    open_flag(actor, product, flag.key, coverage=10000, weights={"on": 1})
    decide(actor, flag.solution, State.LIVE, State.ROLLED_BACK)
    assert standing(flag) == (Standing.DECIDED, "")
    turn_off(actor, product, flag.key)
    assert standing(flag) == (Standing.READY, "off")


def test_a_decision_that_the_rollout_contradicts_says_so(actor: Any, product: Any, flag: Any, repository: Any) -> None:
    stands(actor, repository, 1)
    decide(actor, flag.solution, State.LIVE, State.MEASURED, State.KEPT)
    found = retirement_of(find_flag(product, flag.key))
    assert (found.standing, found.keep) == (Standing.DECIDED, "")
    assert "everybody gets “off”" in found.says


def test_one_whose_last_reference_went_is_removed(actor: Any, product: Any, flag: Any, repository: Any) -> None:
    from datetime import UTC, datetime

    gone = PushedExtinction("defer", "d" * 40, datetime(2026, 3, 1, tzinfo=UTC), "Remove")
    push_flag_references(actor, repository, ROOT, FlagReading(REV, ["defer"], extinctions=[gone]))
    assert standing(flag) == (Standing.REMOVED, "")
    assert "whytree flag archive defer" in retirement_of(flag).says
    assert "archive" not in retirement_of(archive_flag(actor, product, flag.key)).says


@pytest.mark.parametrize(
    ("coverage", "weights", "served"),
    [(10000, {"off": 1}, "off"), (2500, {"on": 1}, None), (10000, {"on": 1, "off": 1}, None), (10000, {"on": 1}, "on")],
)
def test_what_everybody_gets(
    actor: Any, product: Any, flag: Any, coverage: int, weights: dict[str, int], served: str | None
) -> None:
    assert served_to_all(open_flag(actor, product, flag.key, coverage=coverage, weights=weights)) == served


def test_pages_show_where_it_stands_and_that_it_can_go(
    actor: Any, product: Any, flag: Any, repository: Any, as_viewer: Any
) -> None:
    page = as_viewer.get("/p/sprout/flags/defer").content.decode()
    assert 'href="/p/sprout/today"' in page  # the bar keeps its places
    assert "Nobody looked for it in code yet" in page
    stands(actor, repository, 3, 9)
    page = as_viewer.get("/p/sprout/flags/defer").content.decode()
    assert "a.py:9" in page
    assert "&lt;b&gt;code&lt;/b&gt;" in page
    assert "can go" not in page
    decide(actor, flag.solution, State.LIVE, State.ROLLED_BACK)
    assert "can go" in as_viewer.get("/p/sprout/flags/defer").content.decode()
    assert "a.py:3" in as_viewer.get("/p/sprout/flags").content.decode()
    assert "One flag can go." in as_viewer.get("/p/sprout/today").content.decode()


def test_the_api_tells_viewers_and_no_outsider(
    actor: Any, flag: Any, repository: Any, api_viewer: Any, api_charlie: Any
) -> None:
    stands(actor, repository, 3)
    path = "/products/sprout/flags/defer/references"
    answer = api_viewer.get(path).ok
    assert (answer["standing"], answer["looked_in"], answer["references"][0]["line"]) == ("unjustified", ["app"], 3)
    assert api_viewer.get("/products/sprout/flag-retirements?state=ready_to_remove").ok == []
    assert len(api_viewer.get("/products/sprout/flag-retirements").ok) == 1
    assert (api_charlie.get(path).status, api_viewer.get("/products/sprout/flags/no/references").status) == (404, 404)


# The command line -------------------------------------------------------------------------------------


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "sprout-app")
    made.commit("Ask", **{"a.py": 'if is_on("defer"):\n    later()\n', "b\x1b[31m.md": "defer\n"})
    return made


def test_the_command_shows_writes_and_tells(cli: Any, clone: Clone, flag: Any, tmp_path: Path, api: Any) -> None:
    done = cli("flag", "references", "--csv", str(tmp_path), cwd=clone.path)
    assert "defer: 2 places, 1 resolved" in done.output
    assert "a.py:1  resolved" in done.output
    assert "\x1b" not in done.output
    assert "whytree repository add ." in done.output
    assert (tmp_path / f"coderefs_sprout_sprout-app_{clone.head[:7]}.csv").read_text().count("\ndefer,sprout,") == 2
    assert cli("repository", "add", ".", cwd=clone.path).exit_code == 0
    assert len(api.get("/products/sprout/flags/defer/references").ok["references"]) == 2
    told = json.loads(cli("flag", "references", "defer", "--json", cwd=clone.path).output)
    assert (told["repository"], len(told["references"]), told["csv"]) == ("sprout-app", 2, None)


def test_a_key_nobody_registered_can_be_looked_for_without_telling_of_others(cli: Any, clone: Clone) -> None:
    done = cli("flag", "references", "later", "nothing", cwd=clone.path)
    assert "later: 1 place, 0 resolved" in done.output
    assert "nothing: stands nowhere" in done.output


def test_where_nothing_can_be_looked_at_a_sentence_says_what_to_do(cli: Any, tmp_path: Path, flag: Any) -> None:
    empty = Clone(tmp_path / "empty")
    assert "no commit yet" in str(cli("flag", "references", cwd=empty.path).exception)
    assert "no git repository" in str(cli("flag", "references", cwd=tmp_path).exception)
    empty.commit("Begin", **{"a.py": ""})
    done = cli("flag", "references", "--csv", str(tmp_path / "no" / "folder"), cwd=empty.path)
    assert "Name a folder that is there" in str(done.exception)


def test_the_list_of_what_can_go_names_the_command(cli: Any, clone: Clone, actor: Any, product: Any, flag: Any) -> None:
    assert "No flag can go now" in cli("flag", "removable", cwd=clone.path).output
    assert cli("repository", "add", ".", cwd=clone.path).exit_code == 0
    decide(actor, flag.solution, State.LIVE, State.ROLLED_BACK)
    done = cli("flag", "removable", cwd=clone.path)
    assert "  a.py:1  resolved\n" in done.output
    assert "whytree flag remove defer --keep off" in done.output
    listed = cli("flag", "list", "--state", "ready_to_remove", cwd=clone.path).output
    assert listed.startswith("defer")
    assert "SOL-1 was rolled back, everybody gets “off”" in listed
    assert "No flag is running." in cli("flag", "list", "--state", "running", cwd=clone.path).output
