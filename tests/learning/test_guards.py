"""What was kept is watched: a fall is told with the commits since it last was fine, noise is not."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from tests.learning.conftest import World, event, long_ago, look_at_reviews
from whytree.code.delivery.services import DeploymentFacts, add_deployment
from whytree.code.models import Commit
from whytree.code.services import register_repository
from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.learning.guards.queries import _window, list_guards, since_fine
from whytree.learning.guards.services import end_guard, look, restart_guard, set_guard
from whytree.learning.jobs import look_at_guards
from whytree.learning.models import OutcomeGuard, OutcomeReview
from whytree.learning.services import decide_review
from whytree.tree.models import Solution
from whytree.tree.services import set_state
from whytree.workspace.background.jobs import run_next
from whytree.workspace.entry.keys import actor_of_user

PATH = "/products/sprout/guards"


def people(share: float, count: int, newest: float, oldest: float, *, first: int = 100_000) -> Iterator[dict[str, Any]]:
    """So many people who signed up between so many days ago, and that share of whom planted on the day after."""
    rng = random.Random(first)
    for person in range(first, first + count):
        entered = rng.uniform(newest, oldest)
        yield event(person, "signed_up", timezone.now() - timedelta(days=entered))
        if rng.random() < share:
            yield event(person, "planted", timezone.now() - timedelta(days=entered - 1))


@pytest.fixture
def insert(store: Any, product: Any) -> Callable[..., None]:
    def write(*rows: Iterator[dict[str, Any]]) -> None:
        store.insert("events", [row | {"product": product.pk} for some in rows for row in some])

    return write


@pytest.fixture
def keep(actor: Any, live_through: Any, insert: Any) -> Callable[..., OutcomeReview]:
    """A change that measurably helped, in a product where 40 of 100 go on; decided."""

    def decided(decision: str = "keep", *, effect: float = 0.10, level: float = 0.40) -> OutcomeReview:
        live_through(World(people=2_500, effect=effect))
        insert(people(level, 1_500, 8, 34))
        look_at_reviews()
        review = OutcomeReview.objects.get()
        return decide_review(actor, review, verdict="achieved", decision=decision, learning="It helps.")

    return decided


@pytest.fixture
def guard(actor: Any, product: Any, hypothesis: Any) -> OutcomeGuard:
    """A guard of a level of 40 % with its line at 35 %, whose watch began 25 days ago."""
    from tests.learning.test_calibration import settle

    review = settle(actor, hypothesis.solution, 10)
    return OutcomeGuard.objects.create(
        product=product,
        review=review,
        metric_key="activated_7d",
        up_is_good=True,
        baseline=0.40,
        floor=0.35,
        people_a_watch=1_000,
        watch_from=long_ago(25),
        fine_at=long_ago(25),
    )


def test_a_change_that_is_kept_leaves_a_guard_with_its_line_at_half_the_gain(keep: Any) -> None:
    review = keep()
    guard = OutcomeGuard.objects.get()
    gain = review.filled["contrast"]["difference"]["value"] / 100
    assert (guard.review_id, guard.metric_key, guard.up_is_good, guard.state) == (
        review.pk,
        "activated_7d",
        True,
        "waiting",
    )
    assert guard.floor == pytest.approx(guard.baseline - gain / 2)
    assert 0.3 < guard.baseline < 0.5


def test_its_line_reckons_with_those_who_get_the_change_now(actor: Any, guard: OutcomeGuard, insert: Any) -> None:
    insert(people(0.50, 900, 8, 24))
    review = guard.review

    def line(**said: Any) -> float:
        OutcomeGuard.objects.all().delete()
        made = set_guard(actor, review, half_and_half, timezone.now(), **said)
        assert made is not None
        assert made.floor == pytest.approx(made.baseline - 0.05), "half of ten points"
        return made.floor

    half_and_half: Any = SimpleNamespace(
        forecast=SimpleNamespace(likely=1.0),
        opened_at=long_ago(25),
        stretches=[SimpleNamespace(start=long_ago(25), end=long_ago(0), closed={"off": 450, "on": 450})],
        contrast=SimpleNamespace(
            difference=SimpleNamespace(value=10.0, low=5.0, high=15.0),
            treatment=SimpleNamespace(variant="on", value=56.0),
        ),
    )
    left_alone = line()
    assert line(to_everybody=True) == pytest.approx(left_alone + 0.05), "450 of 900 gain ten points"
    half_and_half.contrast.treatment.value = 49.0
    assert line(to_everybody=True) == pytest.approx(0.44), "never more than those with the change came to"


@pytest.mark.parametrize(("decision", "effect"), [("iterate", 0.10), ("roll_back", 0.10), ("keep", 0.0)])
def test_what_is_not_kept_or_did_not_help_leaves_none(keep: Any, decision: str, effect: float) -> None:
    keep(decision, effect=effect)
    assert not OutcomeGuard.objects.exists()


def test_a_level_that_stays_holds(guard: OutcomeGuard, insert: Any) -> None:
    insert(people(0.41, 900, 8, 24))
    looked = look(guard)
    assert (looked.state, looked.n) == ("holding", 900)
    assert looked.fine_at > long_ago(1)
    assert looked.low is not None
    assert looked.low < 0.41


def test_a_fall_breaks_it_and_names_what_changed_since_it_last_was_fine(
    actor: Any, product: Any, guard: OutcomeGuard, insert: Any, as_alice: Any, api: Any
) -> None:
    repository = register_repository(actor, product, name="app", root_sha="a" * 40)
    for days, subject in ((40, "Long before"), (20, "Check the number with a new service"), (26, "Within its window")):
        Commit.objects.create(
            repository=repository, sha=f"{days:040d}", subject=subject, authored_at=long_ago(days), parents=[]
        )
    for days, version in ((40, "v1"), (20, "v2")):
        add_deployment(actor, product, DeploymentFacts(version, long_ago(days), version=version))
    insert(people(0.25, 900, 8, 24))
    assert look(guard).state == "broken"
    (broken,) = list_guards(product)
    since = since_fine(broken)
    assert [commit.subject for commit in since.commits] == ["Check the number with a new service", "Within its window"]
    today = as_alice.get("/p/sprout/today").content.decode()
    assert "A gain that was kept is gone." in today
    assert "Check the number with a new service" in today
    assert today.index(">v2 went out</a>") < today.index("Within its window"), "one line of time, the latest first"
    (told,) = api.get(PATH).ok
    assert told["state"] == "broken"
    assert (
        "below 35 %: it was 40 % when “Ask for the phone number later” was kept, and fell by over half" in told["says"]
    )
    assert told["commits"][0]["subject"] == "Check the number with a new service"
    assert [line[12:] for line in told["shipped"]] == ["v2 went out"]


def test_it_is_told_once_and_stays_as_it_broke(
    actor: Any, product: Any, guard: OutcomeGuard, insert: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from whytree.workspace.models import Activity
    from whytree.workspace.outside import mail

    sent: list[Any] = []
    monkeypatch.setattr(mail, "is_set", lambda: True)
    monkeypatch.setattr(mail, "send", sent.append)
    repository = register_repository(actor, product, name="app", root_sha="a" * 40)
    Commit.objects.create(
        repository=repository, sha="b" * 40, subject="Check the number", authored_at=long_ago(20), parents=[]
    )
    Solution.objects.update(owner=actor.user_id)
    insert(people(0.25, 900, 8, 24))
    for _ in range(3):
        look_at_guards({})
        while run_next("test"):
            pass
    (told,) = sent
    assert (told.to, told.subject) == (
        "alice@example.org",
        "Sprout: The gain of “Ask for the phone number later” is gone",
    )
    assert ": bbbbbbb Check the number\n" in told.text
    assert "/p/sprout/SOL-1#guard\n" in told.text
    first = look(guard)
    insert(people(0.60, 900, 8, 24, first=200_000))
    again = look(guard)
    assert (again.broken_at, again.n) == (first.broken_at, 900)
    assert Activity.objects.filter(verb="guard_broke").count() == 1


def test_a_metric_that_should_fall_is_guarded_from_above(guard: OutcomeGuard, insert: Any) -> None:
    OutcomeGuard.objects.update(up_is_good=False, baseline=0.10, floor=0.15)
    insert(people(0.25, 900, 8, 24))
    assert look(guard).state == "broken"


def test_too_few_people_say_nothing(guard: OutcomeGuard, insert: Any) -> None:
    insert(people(0.05, 120, 8, 24))
    looked = look(guard)
    assert (looked.state, looked.n) == ("waiting", 120)


def test_a_new_watch_begins_when_one_is_over(guard: OutcomeGuard, insert: Any) -> None:
    OutcomeGuard.objects.update(watch_from=long_ago(36))
    insert(people(0.41, 900, 8, 34))
    looked = look(guard)
    assert looked.state == "holding"
    assert looked.watch_from > long_ago(1)


def test_a_metric_that_is_gone_breaks_nothing(guard: OutcomeGuard) -> None:
    OutcomeGuard.objects.update(metric_key="gone")
    assert look(guard).state == "waiting"


def test_the_job_looks_at_those_that_watch(guard: OutcomeGuard, insert: Any) -> None:
    insert(people(0.25, 900, 8, 24))
    look_at_guards({})
    while run_next("test"):
        pass
    guard.refresh_from_db()
    assert guard.state == "broken"
    look_at_guards({})
    assert not run_next("test"), "a broken one is not asked again"


def test_after_a_repair_it_watches_again_by_the_same_line(actor: Any, guard: OutcomeGuard, insert: Any) -> None:
    insert(people(0.25, 900, 8, 24))
    look(guard)
    again = restart_guard(actor, guard)
    assert (again.state, again.floor, again.n) == ("waiting", 0.35, 0)
    assert again.watch_from > long_ago(1)


def test_it_ends_with_a_reason_or_with_its_solution(actor: Any, guard: OutcomeGuard) -> None:
    with pytest.raises(Invalid, match="why nobody"):
        end_guard(actor, guard, reason=" ")
    solution = guard.review.hypothesis.solution
    for state in ("live", "rolled_back"):
        solution = set_state(actor, solution, state)
    guard.refresh_from_db()
    assert (guard.state, guard.end_reason) == ("ended", "The solution is rolled back.")
    for again in (lambda: end_guard(actor, guard, reason="x"), lambda: restart_guard(actor, guard)):
        with pytest.raises(Conflict, match="ended"):
            again()


def test_who_may(viewer: Any, charlie: Any, guard: OutcomeGuard, api: Any, api_charlie: Any, api_viewer: Any) -> None:
    with pytest.raises(Forbidden):
        restart_guard(actor_of_user(viewer), guard)
    with pytest.raises(NotFound):
        end_guard(actor_of_user(charlie), guard, reason="x")
    assert api_charlie.get(PATH).status == 404
    assert len(api_viewer.get(PATH).ok) == 1
    assert api_viewer.post(f"{PATH}/REV-1/restart").status == 403
    assert api.post(f"{PATH}/REV-9/restart").status == 404
    assert api.post(f"{PATH}/REV-1/end", {"reason": "Another metric tells more."}).ok["state"] == "ended"


def test_the_solution_shows_it_and_lets_one_restart_or_end_it(
    as_alice: Any, as_viewer: Any, guard: OutcomeGuard
) -> None:
    page = as_alice.get("/p/sprout/SOL-1").content.decode()
    assert "Is it still so?" in page
    assert "Raises an alarm when activated_7d is surely below 35 %" in page
    assert as_viewer.post("/p/sprout/guards/1", {"how": "restart"}).status_code == 403
    refused = as_alice.post("/p/sprout/guards/1", {"how": "end", "reason": ""}, follow=True)
    assert "why nobody needs to watch" in refused.content.decode()
    as_alice.post("/p/sprout/guards/1", {"how": "end", "reason": "Enough."})
    assert "Is it still so?" not in as_alice.get("/p/sprout/SOL-1").content.decode()


def test_the_command_line_lists_and_changes_them(invoke: Any, guard: OutcomeGuard) -> None:
    assert invoke("guard", "list").startswith("REV-1    waiting  SOL-1")
    assert json.loads(invoke("guard", "list", "--json"))[0]["floor"] == 0.35
    assert "waiting" in invoke("guard", "restart", "REV-1")
    assert "Enough." in invoke("guard", "end", "REV-1", "--reason", "Enough.")


def test_a_share_of_those_who_come_back_is_guarded_too(
    actor: Any, product: Any, guard: OutcomeGuard, insert: Any
) -> None:
    from whytree.analytics.services import create_metric

    said = {"version": 1, "kind": "retention", "begin": "signed_up", "back": "planted", "after_days": 1, "for_days": 6}
    create_metric(actor, product, key="came_back", definition=said)
    OutcomeGuard.objects.update(metric_key="came_back")
    guard.refresh_from_db()
    insert(people(0.25, 900, 8, 24))
    looked = look(guard)
    assert (looked.state, looked.n) == ("broken", 900)
    assert _window(looked) == timedelta(days=7), "who is counted on a day began that much before"


PLANTS = {"version": 1, "kind": "count", "event": "planted"}
EACH_SESSION = {
    "version": 1,
    "kind": "ratio",
    "top": {"event": "planted"},
    "bottom": {"event": "opened"},
}


def days_of(count: int, plants: float, newest: int, oldest: int, *, first: int = 100_000) -> Iterator[dict[str, Any]]:
    """People who open it on half of the days between, once or twice, and plant so often each time, some much more than others."""
    rng = random.Random(first)
    for person in range(first, first + count):
        pace = rng.gammavariate(2.0, 0.5) * plants
        for day in range(newest, oldest):
            if rng.random() < 0.5:
                at = long_ago(day) - timedelta(minutes=5)
                for _ in range(rng.randint(1, 2)):
                    yield event(person, "opened", at)
                for _ in range(int(pace) + (rng.random() < pace % 1)):
                    yield event(person, "planted", at)


@pytest.mark.parametrize(("definition", "basis", "level"), [(PLANTS, "a_day", 1.0), (EACH_SESSION, "ratio", 1 / 1.5)])
def test_what_people_do_a_day_and_ratios_are_guarded_too(
    actor: Any,
    product: Any,
    guard: OutcomeGuard,
    insert: Any,
    api: Any,
    definition: dict[str, Any],
    basis: str,
    level: float,
) -> None:
    from whytree.analytics.services import create_metric

    create_metric(actor, product, key="plants", definition=definition)
    OutcomeGuard.objects.update(metric_key="plants", basis=basis, baseline=level, floor=0.9 * level)
    insert(days_of(400, 1.0, 2, 20))
    held = look(guard)
    assert (held.state, held.n) == ("holding", 400)
    assert held.value == pytest.approx(level, rel=0.1)
    assert held.low is not None
    insert(days_of(1_200, 0.5, 1, 20, first=200_000))
    broken = look(guard)
    assert (broken.state, broken.n) == ("broken", 1_600)
    (told,) = api.get(PATH).ok
    assert told["basis"] == basis
    what = "plants per active person and day is 0." if basis == "a_day" else "plants is 0."
    assert told["says"].startswith(what)


def test_a_kept_gain_in_a_count_leaves_a_guard_below_todays_level(
    actor: Any, product: Any, guard: OutcomeGuard, insert: Any
) -> None:
    from whytree.analytics.services import create_metric

    create_metric(actor, product, key="plants", definition=PLANTS)
    insert(days_of(300, 2.0, 1, 28))
    review = guard.review
    review.hypothesis.metric_key = "plants"
    OutcomeGuard.objects.all().delete()
    gained = SimpleNamespace(
        forecast=SimpleNamespace(likely=1.0),
        contrast=SimpleNamespace(
            difference=SimpleNamespace(value=2.0, low=1.0, high=3.0), treatment=SimpleNamespace(value=10.0)
        ),
    )
    made = set_guard(actor, review, gained, timezone.now())
    assert made is not None
    assert (made.basis, made.people_a_watch) == ("a_day", 300)
    assert made.baseline == pytest.approx(2.0, rel=0.1)
    assert made.floor == pytest.approx(0.9 * made.baseline), "the change brought a fifth, of which half may go"


def test_a_metric_that_counts_another_way_now_is_no_alarm(
    actor: Any, product: Any, guard: OutcomeGuard, insert: Any
) -> None:
    OutcomeGuard.objects.update(basis="a_day")
    insert(people(0.05, 900, 8, 24))
    assert look(guard).state == "waiting"


def test_while_its_gain_is_gone_its_flag_is_the_way_back(actor: Any, product: Any, guard: OutcomeGuard) -> None:
    from whytree.flags.in_code.retiring import Standing, retirement_of
    from whytree.flags.services import create_flag, open_flag

    solution = guard.review.hypothesis.solution
    solution = set_state(actor, set_state(actor, solution, "measured"), "kept")
    create_flag(actor, product, key="later", solution=solution)
    flag = open_flag(actor, product, "later", coverage=10_000, weights={"on": 100, "off": 0})
    assert "its gain" not in retirement_of(flag).says
    OutcomeGuard.objects.update(broken_at=long_ago(1))
    found = retirement_of(flag)
    assert (found.standing, found.command) == (Standing.DECIDED, "")
    assert "its gain is gone (REV-1)" in found.says
