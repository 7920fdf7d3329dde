"""What a clone tells of flags: where they stand, when they went; read from git alone, stored under one product."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.code.repositories import Clone
from whytree.code import services
from whytree.code.clone import git
from whytree.code.clone.git import open_clone
from whytree.code.clone.snapshot import MAX_BYTES, Snapshot
from whytree.code.models import FlagReference
from whytree.code.references import flag_references
from whytree.code.references.flag_references import FlagReading, PushedExtinction, PushedReference, flag_in_code
from whytree.code.scanning.field_search import FieldSearch
from whytree.code.scanning.flag_search import FlagSearch
from whytree.errors import Conflict, Forbidden, Invalid

ROOT, REV = "a" * 40, "b" * 40
AT = datetime(2026, 3, 1, tzinfo=UTC)
ASK = 'import flags\nif flags.is_on("defer_phone", me):\n    later()\n'


def search(clone: Clone, *keys: str) -> Any:
    return FlagSearch(open_clone(clone.path), keys).run()


def places(clone: Clone, *keys: str) -> list[tuple[str, int, str]]:
    return [(one.path, one.line, one.how) for one in search(clone, *keys).references]


# Clones -----------------------------------------------------------------------------------------------


def test_only_what_is_committed_is_searched(clone: Clone) -> None:
    clone.commit("Ask", **{"a.py": ASK})
    clone.write("untracked.py", ASK)
    clone.write("a.py", "\n\n" + ASK)
    assert places(clone, "defer_phone") == [("a.py", 2, "resolved")]


def test_binary_and_huge_files_links_and_submodules_are_left_alone(clone: Clone, tmp_path: Path) -> None:
    library = Clone(tmp_path / "library")
    library.commit("Ask", **{"lib.py": ASK})
    clone.write("picture.bin", b"\0\1defer_phone")
    clone.write("dump.sql", "defer_phone\n" * (MAX_BYTES // 12 + 1))
    clone.write("a.py", ASK)
    (clone.path / "link.py").symlink_to("a.py")
    (clone.path / "out.py").symlink_to("/etc/passwd")
    clone.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.path), "vendored")
    clone.commit("Add")
    found = search(clone, "defer_phone")
    assert [one.path for one in found.references] == ["a.py"]
    assert found.left_out == ["1 file is larger than 5 MB and not searched.", "1 submodule is not searched."]


def test_a_minified_line_of_megabytes_is_one_place_with_a_short_hunk(clone: Clone) -> None:
    clone.commit("Bundle", **{"bundle.js": "x;" * 1_200_000 + 'on("defer_phone")' + ";y" * 1_200_000})
    looked = FlagSearch(open_clone(clone.path), ["defer_phone"])
    found = looked.run()
    assert [(one.path, one.line, one.how) for one in found.references] == [("bundle.js", 1, "text")]
    assert len(looked.around(found.references[0])) < 600


def test_odd_names_of_files_are_found_and_shown(clone: Clone) -> None:
    odd = 'wei"rd\nname é.py'
    clone.write(odd, ASK)
    (Path(str(clone.path).encode().decode()) / "plain.py").write_text(ASK)
    raw = bytes(clone.path) + b"/latin\xe9.py"
    Path(raw.decode("utf-8", "surrogateescape")).write_text(ASK)
    clone.commit("Odd")
    assert sorted(one.path for one in search(clone, "defer_phone").references) == sorted(
        [odd, "plain.py", "latin\udce9.py"]
    )


def test_keys_with_characters_that_mean_something_to_a_search_are_taken_literally(clone: Clone) -> None:
    clone.commit("Ask", **{"a.py": 'is_on("a.b+c")\nis_on("aXbbc")\nis_on("x|y")\nis_on("-e")\n'})
    assert [(one.key, one.line) for one in search(clone, "a.b+c", "x|y", "-e", "(", "\\E").references] == [
        ("-e", 4),
        ("a.b+c", 1),
        ("x|y", 3),
    ]


def test_a_second_search_reads_only_what_changed(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.commit("Ask", **{"a.py": ASK, **{f"m{number}.py": f"x = {number}\n" for number in range(20)}})
    assert len(search(clone, "defer_phone").references) == 1
    read: list[str] = []
    load = Snapshot.load

    def spy(self: Snapshot, paths: Any) -> Any:
        read.extend(paths := list(paths))
        return load(self, paths)

    monkeypatch.setattr(Snapshot, "load", spy)
    clone.commit("Ask again", **{"m7.py": ASK})
    assert len(search(clone, "defer_phone").references) == 2
    assert set(read) == {"a.py", "m7.py"}


def test_other_keys_do_not_use_what_was_remembered(clone: Clone) -> None:
    clone.commit("Ask", **{"a.py": ASK})
    assert not search(clone, "other").references
    assert len(search(clone, "other", "defer_phone").references) == 1


def test_a_broken_memory_is_no_harm(clone: Clone) -> None:
    clone.commit("Ask", **{"a.py": ASK})
    search(clone, "defer_phone")
    (clone.path / ".git/whytree/flag-keys.json").write_text('{"mark": 3')
    assert len(search(clone, "defer_phone").references) == 1


def test_many_files_are_searched_by_git_itself_and_copies_are_all_found(clone: Clone) -> None:
    for number in range(400):
        clone.write(f"m{number}.py", f"x = {number}\n")
    for name in ("one.py", "two.py"):
        clone.write(name, ASK)
    clone.commit("Many")
    assert [path for path, _, _ in places(clone, "defer_phone")] == ["one.py", "two.py"]


@pytest.fixture
def no_pcre(monkeypatch: pytest.MonkeyPatch) -> None:
    """A git that was built without Perl's regular expressions."""
    whole = git.Clone.search
    monkeypatch.setattr(git.Clone, "search", lambda self, *words: None if "-P" in words else whole(self, *words))


def test_a_git_without_perls_expressions_finds_the_same(clone: Clone, no_pcre: None) -> None:
    for number in range(400):
        clone.write(f"m{number}.py", f"x = {number}\n")
    form = (
        "from django import forms\nclass F(forms.Form):\n    size = forms.CharField()\n    town = forms.CharField()\n"
    )
    clone.commit(
        "Many", **{"a.py": ASK, "form.py": form, "use.py": "def f(form):\n    return dict(form.cleaned_data)\n"}
    )
    assert places(clone, "defer_phone") == [("a.py", 2, "resolved")]
    assert FieldSearch(open_clone(clone.path)).look("size").verdict == "unsure"


def test_what_gitattributes_calls_binary_is_searched_all_the_same(clone: Clone) -> None:
    clone.commit(
        "Ask", **{".gitattributes": "*.py -diff\n", **{f"m{n}.py": f"x = {n}\n" for n in range(400)}, "a.py": ASK}
    )
    assert places(clone, "defer_phone") == [("a.py", 2, "resolved")]


def test_constants_are_followed_between_files(clone: Clone) -> None:
    clone.commit(
        "Ask",
        **{"app/keys.py": 'DEFER = "defer_phone"\n', "app/form.py": "from app.keys import DEFER\nx = is_on(DEFER)\n"},
    )
    assert places(clone, "defer_phone") == [("app/form.py", 2, "resolved"), ("app/keys.py", 1, "resolved")]


# Extinctions ------------------------------------------------------------------------------------------


def test_the_commit_that_took_the_last_reference_away_is_named(clone: Clone) -> None:
    clone.commit("Ask", **{"a.py": ASK, "b.py": ASK})
    clone.commit("Ask in one place", **{"b.py": "later()\n"})
    last = clone.commit("Ask nowhere", **{"a.py": "later()\n"})
    clone.commit("Go on", **{"c.py": "x = 1\n"})
    found = search(clone, "defer_phone", "never_was")
    assert [(one.key, one.sha, one.subject) for one in found.extinctions] == [("defer_phone", last, "Ask nowhere")]


def test_moving_the_last_reference_is_no_end_and_coming_back_is_none_either(clone: Clone) -> None:
    clone.commit("Ask", **{"a.py": ASK})
    clone.git("mv", "a.py", "b.py")
    clone.commit("Move")
    assert search(clone, "defer_phone").extinctions == []
    clone.git("rm", "-q", "b.py")
    clone.commit("Remove")
    clone.commit("Again", **{"d.py": ASK})
    assert search(clone, "defer_phone").extinctions == []
    clone.git("rm", "-q", "d.py")
    last = clone.commit("Remove for good")
    assert [one.sha for one in search(clone, "defer_phone").extinctions] == [last]


def test_of_two_branches_that_removed_one_each_neither_is_named_wrongly(clone: Clone) -> None:
    """Each left the other's reference standing, so only their merge ended it: no answer is better than a wrong one."""
    clone.commit("Ask", **{"a.py": ASK, "b.py": ASK})
    clone.git("checkout", "-q", "-b", "topic")
    clone.commit("Remove one", **{"a.py": "later()\n"})
    clone.git("checkout", "-q", "main")
    clone.commit("Remove the other", **{"b.py": "later()\n"})
    clone.git("merge", "-q", "--no-edit", "topic")
    found = search(clone, "defer_phone")
    assert (found.references, found.extinctions) == ([], [])


# The server -------------------------------------------------------------------------------------------


@pytest.fixture
def repository(actor: Any, product: Any) -> Any:
    return services.register_repository(actor, product, name="app", root_sha=ROOT, with_code=True)


def reading(*references: PushedReference, **more: Any) -> FlagReading:
    return FlagReading(**{"rev": REV, "keys": ["k"], "references": references, **more})


def push(actor: Any, repository: Any, told: FlagReading) -> None:
    flag_references.push_flag_references(actor, repository, ROOT, told)


def test_a_scan_replaces_what_an_earlier_one_told_of_its_keys_only(actor: Any, product: Any, repository: Any) -> None:
    push(actor, repository, reading(PushedReference("k", "a.py", 1, "resolved")))
    push(actor, repository, reading(PushedReference("j", "a.py", 1, "text"), keys=["j"]))
    push(actor, repository, reading(PushedReference("k", "b.py", 2, "text")))
    push(actor, repository, reading(PushedReference("k", "c.py", 3, "text"), is_first=False))
    assert [one.path for one in flag_in_code(product, "k").references] == ["b.py", "c.py"]
    assert [one.path for one in flag_in_code(product, "j").references] == ["a.py"]
    assert flag_in_code(product, "k").looked_in == [repository]
    assert not flag_in_code(product, "never").looked_in


def test_telling_the_same_twice_stores_it_once(actor: Any, repository: Any) -> None:
    one = PushedReference("k", "a.py", 1, "resolved")
    push(actor, repository, reading(one, one))
    push(actor, repository, reading(one))
    assert FlagReference.objects.count() == 1


def test_a_flag_of_the_same_key_in_another_product_is_another_one(
    actor: Any, repository: Any, other_product: Any
) -> None:
    push(actor, repository, reading(PushedReference("k", "a.py", 1, "resolved")))
    assert not flag_in_code(other_product, "k").references


def test_no_code_is_stored_where_somebody_said_so(actor: Any, product: Any, repository: Any) -> None:
    push(actor, repository, reading(PushedReference("k", "a.py", 1, "text", hunk="\x1b[31mx\0")))
    assert FlagReference.objects.get().hunk == "\x1b[31mx"
    repository.with_code = repository.with_hunks = False
    repository.save()
    push(actor, repository, reading(PushedReference("k", "a.py", 1, "text", hunk="secret")))
    assert FlagReference.objects.get().hunk is None


@pytest.mark.parametrize(
    "wrong",
    [
        PushedReference("k", "a.py", 0, "text"),
        PushedReference("k", "a.py", 10**9, "text"),
        PushedReference("k", "", 1, "text"),
        PushedReference("k", "x" * 1001, 1, "text"),
        PushedReference("k", "a.py", 1, "guessed"),
        PushedReference("unasked", "a.py", 1, "text"),
    ],
)
def test_what_is_no_reference_is_refused_whole(actor: Any, repository: Any, wrong: PushedReference) -> None:
    with pytest.raises(Invalid):
        push(actor, repository, reading(PushedReference("k", "a.py", 1, "text"), wrong))
    assert not FlagReference.objects.exists()


def test_another_clone_and_a_viewer_are_refused(actor: Any, repository: Any, viewer: Any) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    with pytest.raises(Conflict):
        flag_references.push_flag_references(actor, repository, "c" * 40, reading())
    with pytest.raises(Forbidden):
        push(actor_of_user(viewer), repository, reading())


def test_the_door_asks_for_the_role_and_the_product(
    repository: Any, api_bob: Any, api_viewer: Any, api_charlie: Any
) -> None:
    path = f"/products/sprout/repositories/{repository.pk}/flag-references"
    body = {"root_sha": ROOT, "rev": REV, "keys": ["k"]}
    assert [one.post(path, body).status for one in (api_viewer, api_charlie, api_bob)] == [403, 404, 204]
    assert api_bob.post(path, {**body, "keys": ["k"] * 5001}).status == 400


def test_a_flag_that_stands_nowhere_any_more_is_extinct(actor: Any, product: Any, repository: Any) -> None:
    gone = PushedExtinction("k", "d" * 40, AT, "Remove")
    push(actor, repository, reading(extinctions=[gone]))
    found = flag_in_code(product, "k")
    assert found.is_extinct
    assert found.last
    assert found.last.sha == "d" * 40
    push(actor, repository, reading(PushedReference("k", "a.py", 1, "text")))
    assert not flag_in_code(product, "k").is_extinct


def test_adding_a_repository_tells_where_its_flags_stand(clone: Clone, cli: Any, actor: Any, product: Any) -> None:
    from whytree.flags.services import create_flag

    create_flag(actor, product, key="defer_phone")
    clone.commit("Ask", **{"a.py": ASK})
    assert cli("repository", "add", ".", cwd=clone.path).exit_code == 0
    found = flag_in_code(product, "defer_phone")
    assert [(one.path, one.line, one.hunk) for one in found.references] == [("a.py", 2, ASK.rstrip("\n"))]
    cli("repository", "add", ".", "--no-code", cwd=clone.path)
    assert [one.hunk for one in flag_in_code(product, "defer_phone").references] == [None]
    clone.commit("Ask nowhere", **{"a.py": "later()\n"})
    synced = cli("repository", "sync", "--json", cwd=clone.path)
    assert json.loads(synced.output)["head"] == clone.head
    assert flag_in_code(product, "defer_phone").is_extinct
