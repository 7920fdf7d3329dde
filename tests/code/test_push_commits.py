"""What a clone tells: stored once, derived the same each time, and only under its own name."""

from datetime import UTC, datetime
from typing import Any

import pytest

from whytree.code import services
from whytree.code.models import Commit, Ticket
from whytree.code.services import PushedCommit, PushedFile, Reading
from whytree.errors import Conflict, Forbidden, Invalid, NotFound
from whytree.workspace.models import Activity

ROOT, OTHER = "a" * 40, "b" * 40
AT = datetime(2026, 3, 1, tzinfo=UTC)


def sha(number: int) -> str:
    return f"{number:040x}"


@pytest.fixture
def repository(actor: Any, product: Any) -> Any:
    return services.register_repository(actor, product, name="app", root_sha=ROOT, tracker="github.com/acme/sprout")


def push(actor: Any, repository: Any, *commits: PushedCommit) -> tuple[int, int]:
    return services.push_commits(actor, repository, ROOT, commits)


def test_the_same_first_commit_is_the_same_repository(actor: Any, product: Any, repository: Any) -> None:
    again = services.register_repository(actor, product, name="another name", root_sha=ROOT)
    assert (again.pk, again.name) == (repository.pk, "app")


def test_a_name_that_another_repository_has_is_refused(actor: Any, product: Any, repository: Any) -> None:
    with pytest.raises(Conflict, match="--name"):
        services.register_repository(actor, product, name="app", root_sha=OTHER)


@pytest.mark.parametrize(("name", "root"), [("", ROOT), ("a:b", ROOT), ("x" * 101, ROOT), ("app", "abc")])
def test_a_repository_without_a_name_or_first_commit_is_refused(actor: Any, product: Any, name: str, root: str) -> None:
    with pytest.raises(Invalid):
        services.register_repository(actor, product, name=name, root_sha=root)


def test_a_clone_that_claims_anothers_id_is_refused(actor: Any, repository: Any) -> None:
    with pytest.raises(Conflict, match="not app"):
        services.push_commits(actor, repository, OTHER, [PushedCommit(sha(1), AT)])
    with pytest.raises(Conflict):
        services.push_lines(actor, repository, OTHER, sha(1), [PushedFile("a.py", [(1, 1, sha(1))])])
    with pytest.raises(Conflict):
        services.finish_sync(actor, repository, OTHER, Reading(sha(1)))
    assert not Commit.objects.exists()


def test_commits_are_stored_once(actor: Any, repository: Any) -> None:
    commits = [PushedCommit(sha(number), AT, "Add form (#12)") for number in range(5)]
    assert push(actor, repository, *commits) == (5, 0)
    before = Activity.objects.count()
    assert push(actor, repository, *commits) == (0, 0)
    assert Commit.objects.count() == 5
    assert Activity.objects.count() == before


def test_a_commit_inherits_what_its_merge_says_whether_it_comes_with_it_or_came_before(
    actor: Any, repository: Any
) -> None:
    merge = PushedCommit(sha(1), AT, "Merge pull request #7 from ana/sol-3-defer", parents=[sha(9), sha(2)])
    push(actor, repository, merge, PushedCommit(sha(2), AT, "Add form", merged_by=sha(1)))
    push(actor, repository, PushedCommit(sha(3), AT, "More", merged_by=sha(1)))
    rows = Commit.objects.filter(sha__in=[sha(2), sha(3)])
    assert {(row.pr_number, row.branch, row.merged_by) for row in rows} == {("#7", "sol-3-defer", sha(1))}
    assert all(row.keys.filter(kind="node", key="SOL-3").exists() for row in rows)


def test_what_a_pusher_did_not_look_at_stays(actor: Any, repository: Any) -> None:
    merge = PushedCommit(sha(1), AT, "Merge branch 'topic'")
    whole = PushedCommit(sha(2), AT, "Add", files=["a.py"], merged_by=sha(1), flags_added=["defer"])
    push(actor, repository, merge, whole)
    push(actor, repository, PushedCommit(sha(2), AT, "Add", note="SOL-3", flags_added=["explain"]))
    row = Commit.objects.get(sha=sha(2))
    assert (row.note, row.files, row.branch, row.flags_added) == ("SOL-3", ["a.py"], "topic", ["defer", "explain"])
    assert set(row.keys.values_list("key", flat=True)) == {"SOL-3", "defer", "explain"}


def test_tickets_are_made_on_first_sight_with_the_repositorys_own_numbers(actor: Any, repository: Any) -> None:
    body = "Fixes #5 and fixes https://github.com/other/lib/issues/5, refs ABC-12. Unlike #8, uses UTF-8."
    assert push(actor, repository, PushedCommit(sha(1), AT, "Add form (#12)", body)) == (1, 3)
    assert push(actor, repository, PushedCommit(sha(2), AT, "More", "Closes #5")) == (1, 0)
    assert set(Ticket.objects.values_list("tracker", "key")) == {
        ("github.com/acme/sprout", "#5"),
        ("github.com/other/lib", "#5"),
        ("", "ABC-12"),
    }


def test_what_is_told_twice_in_one_request_counts_once_as_last_told(actor: Any, repository: Any) -> None:
    assert push(actor, repository, PushedCommit(sha(1), AT, "First"), PushedCommit(sha(1), AT, "Second")) == (1, 0)
    assert Commit.objects.get().subject == "Second"
    files = [PushedFile("a.py", [(1, 1, sha(1))]), PushedFile("a.py", [(1, 2, sha(1))])]
    services.push_lines(actor, repository, ROOT, sha(1), files)
    assert repository.files.get().spans == [[1, 2, sha(1)]]


def test_hostile_words_are_stored_as_they_are_shown(actor: Any, repository: Any) -> None:
    push(actor, repository, PushedCommit(sha(1), AT, "\x1b[31mred\0", "\ud800 half", author_name="x" * 500))
    row = Commit.objects.get()
    assert (row.subject, row.body, len(row.author_name)) == ("\x1b[31mred", "? half", 200)


@pytest.mark.parametrize("bad", ["", "HEAD", "A" * 40, "g" * 40, "a" * 41])
def test_what_is_no_commit_id_is_refused_whole(actor: Any, repository: Any, bad: str) -> None:
    with pytest.raises(Invalid, match="no commit id"):
        push(actor, repository, PushedCommit(sha(1), AT), PushedCommit(bad, AT))
    assert not Commit.objects.exists()


def test_lines_are_replaced_forgotten_and_counted(actor: Any, repository: Any) -> None:
    push(actor, repository, PushedCommit(sha(1), AT), PushedCommit(sha(2), AT))
    files = [PushedFile("a.py", [(1, 3, sha(1)), (4, 4, sha(2))]), PushedFile("b.py", [(1, 1, sha(2))])]
    services.push_lines(actor, repository, ROOT, sha(2), files)
    services.push_lines(actor, repository, ROOT, sha(2), [PushedFile("a.py", [(1, 2, sha(1))])], gone=["b.py"])
    services.finish_sync(actor, repository, ROOT, Reading(sha(2), flags_scanned=["x"], left_out=["1 file left out."]))
    repository.refresh_from_db()
    assert list(repository.files.values_list("path", "spans")) == [("a.py", [[1, 2, sha(1)]])]
    assert set(Commit.objects.values_list("sha", "lines")) == {(sha(1), 2), (sha(2), 0)}
    assert (repository.head, repository.flags_scanned, repository.left_out) == (sha(2), ["x"], ["1 file left out."])


@pytest.mark.parametrize("span", [(0, 1), (3, 2), (1, 10**9), (-1, 1)])
def test_lines_that_are_none_are_refused(actor: Any, repository: Any, span: tuple[int, int]) -> None:
    with pytest.raises(Invalid, match="no span"):
        services.push_lines(actor, repository, ROOT, sha(1), [PushedFile("a.py", [(*span, sha(1))])])


def test_a_date_of_no_calendar_does_not_stop_the_rest(actor: Any, repository: Any, api: Any) -> None:
    push(actor, repository, PushedCommit(sha(1), datetime(1, 1, 1, tzinfo=UTC)), PushedCommit(sha(2), AT))
    assert Commit.objects.get(sha=sha(1)).authored_at.year == 1970
    body = {"root_sha": ROOT, "commits": [{"sha": sha(3), "authored_at": "2026-03-01T10:00:00"}]}
    answer = api.post(f"/products/sprout/repositories/{repository.pk}/commits", body)
    assert (answer.status, answer.body["code"]) == (400, "invalid")


def test_members_read_commits_in_maintainers_register_and_outsiders_see_nothing(
    repository: Any, product: Any, api_bob: Any, api_viewer: Any, api_charlie: Any
) -> None:
    body = {"name": "lib", "root_sha": OTHER}
    path = "/products/sprout/repositories"
    assert [one.post(path, body).status for one in (api_bob, api_viewer, api_charlie)] == [403, 403, 404]
    commits = {"root_sha": ROOT, "commits": [{"sha": sha(1), "authored_at": AT.isoformat()}]}
    path += f"/{repository.pk}/commits"
    assert [one.post(path, commits).status for one in (api_viewer, api_charlie, api_bob)] == [403, 404, 200]


def test_another_products_repository_is_not_there(repository: Any, other_product: Any, charlie: Any) -> None:
    from whytree.code.queries import find_repository

    with pytest.raises(NotFound):
        find_repository(other_product, repository.pk)


def test_services_ask_for_the_role_themselves(repository: Any, viewer: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    with pytest.raises(Forbidden):
        push(actor_of_user(viewer), repository, PushedCommit(sha(1), AT))
