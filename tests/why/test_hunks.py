"""Pages show the lines that lead somewhere without a clone on the server: pieces of files, never whole ones."""

from itertools import pairwise
from typing import Any

import pytest

from tests.code.conftest import refusal
from tests.code.repositories import Clone
from tests.why.conftest import Tree
from whytree.code.models import FileBlame, Repository
from whytree.why.answering.hunks import ranges_of

pytestmark = pytest.mark.django_db

PATH = "app/form.py"
PLAIN = "".join(f"line {number}\n" for number in range(1, 21))
DEFERRED = PLAIN.replace("line 10\n", "deferred\n")


@pytest.fixture
def read(cli: Any, clone: Clone, tree: Tree) -> Clone:
    """Twenty lines of a file; the tenth is for SOL-1, the others for nothing."""
    clone.commit("Add", **{PATH: PLAIN, "other.py": PLAIN})
    clone.commit("Defer\n\nWhy: SOL-1", **{PATH: DEFERRED})
    cli("repository", "add", str(clone.path))
    return clone


def _kept(path: str = PATH) -> list[Any]:
    hunks: list[Any] = FileBlame.objects.get(path=path).hunks
    return hunks


def test_lines_that_lead_to_a_node_are_sent_with_a_little_around_them(read: Clone, as_alice: Any) -> None:
    assert _kept() == [[8, 12, "line 8\nline 9\ndeferred\nline 11\nline 12"]]
    assert FileBlame.objects.get(path=PATH).text is None
    assert _kept("other.py") == []
    page = as_alice.get("/p/sprout/why", {"q": f"{PATH}:10"}).content.decode()
    assert "deferred" in page
    assert "line 12" in page
    assert "line 13" not in page


def test_no_code_sends_none_and_takes_back_what_was_sent(read: Clone, cli: Any) -> None:
    cli("repository", "add", str(read.path), "--no-code")
    assert _kept() == []
    assert not Repository.objects.get().with_hunks
    assert "Give one of them" in refusal(cli("repository", "add", str(read.path), "--no-code", "--with-code"))


def test_whole_files_need_no_pieces(read: Clone, cli: Any) -> None:
    cli("repository", "add", str(read.path), "--with-code")
    assert FileBlame.objects.get(path=PATH).text == DEFERRED.rstrip("\n")
    assert _kept() == []


def test_what_begins_to_lead_somewhere_later_is_sent_by_the_next_sync(
    cli: Any, clone: Clone, tree: Tree, as_alice: Any
) -> None:
    clone.commit("Add", **{PATH: PLAIN})
    sha = clone.commit("Defer", **{PATH: DEFERRED})
    cli("repository", "add", str(clone.path))
    assert _kept() == []
    cli("why", sha[:10], "--tell", "SOL-2", cwd=clone.path)
    cli("repository", "sync", cwd=clone.path)
    assert _kept()[0][:2] == [8, 12]


def test_pieces_of_an_older_reading_are_not_kept(read: Clone, api: Any, as_alice: Any) -> None:
    repository = Repository.objects.get()
    path = f"/products/sprout/repositories/{repository.pk}"
    body = {"root_sha": repository.root_sha, "files": [{"path": PATH, "stamp": "older", "hunks": [[1, "wrong"]]}]}
    assert as_alice.post(f"/api{path}/hunks", body, content_type="application/json").status_code == 204
    assert _kept()[0][0] == 8


def test_never_more_than_half_of_a_file_is_wanted() -> None:
    assert ranges_of([(1, 10, "a")], {"a"}) == ((1, 5),)
    assert ranges_of([(1, 500, "a")], {"a"}) == ((1, 40),)
    assert ranges_of([(1, 1, "a")], {"a"}) == ()
    spans = [(number, number, "a" if number % 10 == 0 else "b") for number in range(1, 1001)]
    ranges = ranges_of(spans, {"a"})
    assert sum(last - first + 1 for first, last in ranges) == 200
    assert all(one[1] < other[0] for one, other in pairwise(ranges))


def test_neighbours_become_one_piece() -> None:
    spans = [(1, 40, "b"), (41, 42, "a"), (43, 43, "b"), (44, 45, "c"), (46, 100, "b")]
    assert ranges_of(spans, {"a", "c"}) == ((39, 47),)
