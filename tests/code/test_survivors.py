"""History replayed forwards gives what `git blame` gives, on random and on chosen histories."""

import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import whytree
from tests.code.repositories import Clone
from whytree.code.blame.ahead import FEWEST_COMMITS, ReadAhead
from whytree.code.blame.lines import LineReader, Wanted
from whytree.code.blame.survivors import Survivors
from whytree.code.clone.git import open_clone
from whytree.workspace.terminal.client import CommandError

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

PATHS = ("a", "b", "deep/c", "größe")


def survivors(clone: Clone, *, keep: bool = False) -> dict[str, list[str]]:
    """Path to the commit of each line, by replay."""
    reading = Survivors(open_clone(clone.path))
    files = reading.read(keep=keep)
    return {
        path: [sha for first, last, sha in reading.ledger.commits_of(version.lines) for _ in range(first, last + 1)]
        for path, version in files.items()
    }


def blamed(clone: Clone) -> dict[str, list[str]]:
    """The same, file by file, by `git blame -w -M -C`."""
    opened = open_clone(clone.path)
    listed = opened.read("ls-files", "-z").split("\0")
    found = LineReader(opened, "HEAD").read_all([Wanted(path) for path in listed if path])
    return {wanted.path: [line.sha for line in file.lines] for wanted, file in found.items()}


# Random histories: lines too short to have moved, so that both must agree on every one -------------------


@dataclass
class Invented:
    """A history for `git fast-import`: per commit its parents and its files."""

    commits: list[tuple[list[int], dict[str, list[str]]]] = field(default_factory=list)

    def stream(self) -> Iterator[bytes]:
        for number, (parents, files) in enumerate(self.commits, 1):
            at = 1_700_000_000 + number * 60
            yield f"commit refs/heads/main\nmark :{number}\ncommitter Ana <a@b.c> {at} +0000\ndata 1\nx\n".encode()
            for position, parent in enumerate(parents):
                yield f"{'merge' if position else 'from'} :{parent}\n".encode()
            yield b"deleteall\n"
            for path, lines in files.items():
                text = "\n".join(lines).encode() + b"\n" * bool(lines)
                yield f"M 100644 inline {path}\ndata {len(text)}\n".encode() + text + b"\n"
        yield b"done\n"


def invent(draw: random.Random, size: int) -> Invented:
    """Edits, new and lost files, renames, white space, and merges that take from both sides and add of their own."""
    history = Invented()
    for number in range(1, size + 1):
        if number == 1 or draw.random() < 0.03:
            files = {path: [f"{draw.randrange(40)}" for _ in range(draw.randrange(1, 9))] for path in PATHS[:2]}
            parents = [] if number == 1 else [number - 1]
        else:
            parents = [draw.randrange(max(1, number - 4), number)]
            files = {path: list(lines) for path, lines in history.commits[parents[0] - 1][1].items()}
            if draw.random() < 0.3 and (other := draw.randrange(1, number)) != parents[0]:
                parents.append(other)
                files = _joined(draw, files, history.commits[other - 1][1])
        if len(parents) < 2 or draw.random() < 0.3:
            _edit(draw, files)
        history.commits.append((parents, files))
    # Everything reaches the head, so that everything is compared.
    tips = set(range(1, size + 1)) - {parent for parents, _ in history.commits for parent in parents}
    while len(tips) > 1:
        first, second = sorted(tips)[-2:]
        files = _joined(draw, history.commits[first - 1][1], history.commits[second - 1][1])
        history.commits.append(([first, second], files))
        tips = tips - {first, second} | {len(history.commits)}
    return history


def _joined(draw: random.Random, ours: dict[str, list[str]], theirs: dict[str, list[str]]) -> dict[str, list[str]]:
    files = {}
    for path in sorted({*ours, *theirs}):
        mine, other = ours.get(path), theirs.get(path)
        if mine is None or other is None:
            files[path] = list(mine or other or [])
        elif draw.random() < 0.5:
            files[path] = list(draw.choice((mine, other)))
        else:
            cut = draw.randrange(0, min(len(mine), len(other)) + 1)
            files[path] = [*mine[:cut], *([f"m{draw.randrange(9)}"] * (draw.random() < 0.3)), *other[cut:]]
    return files


def _edit(draw: random.Random, files: dict[str, list[str]]) -> None:
    for _ in range(draw.randrange(1, 4)):
        if not files or draw.random() < 0.15:
            files[draw.choice(PATHS)] = [f"{draw.randrange(40)}" for _ in range(draw.randrange(6))]
            continue
        path = draw.choice(sorted(files))
        lines, act = files[path], draw.random()
        at = draw.randrange(len(lines) + 1)
        if act < 0.45:
            lines[at:at] = [f"{draw.randrange(40)}" for _ in range(draw.randrange(1, 4))]
        elif act < 0.75:
            del lines[at : at + draw.randrange(1, 3)]
        elif act < 0.85:
            lines[at : at + 1] = [f"  {line}\t" for line in lines[at : at + 1]]
        elif act < 0.92 and len(files) > 1:
            del files[path]
        elif (target := draw.choice(PATHS)) not in files:
            files[target] = files.pop(path)


def imported(folder: Path, history: Invented) -> Clone:
    clone = Clone(folder)
    stream = b"".join(history.stream())
    subprocess.run(["git", "-C", str(folder), "fast-import", "--quiet", "--done"], input=stream, check=True)
    clone.git("reset", "--quiet", "--hard")
    return clone


@settings(max_examples=int(os.environ.get("HISTORIES", "25")), deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), size=st.integers(1, 16))
def test_a_replay_agrees_with_git_blame_line_by_line(
    tmp_path_factory: pytest.TempPathFactory, seed: int, size: int
) -> None:
    clone = imported(tmp_path_factory.mktemp("random"), invent(random.Random(seed), size))
    told = blamed(clone)
    assert {path: lines for path, lines in survivors(clone).items() if lines or path in told} == told


@settings(max_examples=int(os.environ.get("HISTORIES", "12")), deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), size=st.integers(3, 14))
def test_reading_commit_by_commit_gives_what_reading_at_once_gives(
    tmp_path_factory: pytest.TempPathFactory, seed: int, size: int
) -> None:
    """What was kept goes on from any older head: a commit, a merge of a branch that forked off long before."""
    draw = random.Random(seed)
    clone = imported(tmp_path_factory.mktemp("random"), invent(draw, size))
    heads = clone.git("rev-list", "--reverse", "--topo-order", "HEAD").splitlines()
    for head in [*sorted(draw.sample(heads, min(3, len(heads))), key=heads.index), heads[-1]]:
        clone.git("reset", "--quiet", "--hard", head)
        assert survivors(clone, keep=True) == survivors(clone, keep=False)


# Chosen histories -------------------------------------------------------------------------------------

LONG = [f"    value_{number} = compute_something_long({number})" for number in range(12)]


def text(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def test_a_moved_block_keeps_its_origin_within_a_file_and_between_files(clone: Clone) -> None:
    first = clone.commit("Add", **{"a.py": text("# head", *LONG), "b.py": text("x = 1")})
    clone.commit("Turn", **{"a.py": text("# head", *LONG[6:], *LONG[:6])})
    assert set(survivors(clone)["a.py"]) == {first}
    clone.commit("Carry over", **{"a.py": text("# head", *LONG[6:]), "b.py": text("x = 1", *LONG[:6])})
    assert set(survivors(clone)["b.py"]) == {first}
    clone.commit("Copy", **{"a.py": text("# head!", *LONG[6:]), "c.py": text(*LONG[8:])})
    assert survivors(clone)["c.py"] == [first] * 4
    assert survivors(clone) == blamed(clone)


def test_what_little_is_left_of_a_moved_block_proves_nothing(clone: Clone) -> None:
    """As git: when a block was moved and most of it is gone since, the rest belongs to the commit that moved it."""
    clone.commit("Add", **{"a.py": text("a", "b", *LONG), "b.py": text("x")})
    moved = clone.commit("Move", **{"a.py": text("a", "b"), "b.py": text("x", "if short:", *LONG)})
    clone.commit("Cut", **{"b.py": text("x", LONG[0][:12])})
    assert survivors(clone) == blamed(clone)
    clone.commit("Back", **{"b.py": text("x", LONG[3])})
    assert survivors(clone) == blamed(clone)
    assert moved not in survivors(clone)["b.py"]


@pytest.mark.parametrize(
    ("former", "path"), [("vendor/b.py", "vendor/c.py"), ("locale/de.po", "locale/fr.po"), ("yarn.lock", "a/yarn.lock")]
)
def test_what_others_wrote_is_taken_in_and_not_searched_for_moves(clone: Clone, former: str, path: str) -> None:
    clone.commit("Add", **{"a.py": text(*LONG), former: text("y", *LONG)})
    taken = clone.commit("Update", **{"a.py": text("x"), former: text("y"), path: text(*LONG)})
    assert survivors(clone)[path] == [taken] * len(LONG)


def test_a_rename_and_a_folder_moved_keep_their_lines(clone: Clone) -> None:
    first = clone.commit("Add", **{"old/a.py": text(*LONG), "old/b.py": text("x = 1")})
    clone.git("mv", "old", "new")
    clone.commit("Move")
    assert survivors(clone) == {"new/a.py": [first] * 12, "new/b.py": [first]}


@pytest.mark.parametrize("how", ["listed", "said", "wrapped", "quotes"])
def test_maintenance_is_looked_through_unless_somebody_said_why(clone: Clone, how: str) -> None:
    first = clone.commit("Add", **{"a.py": text("call(one, 'two')", "keep()", "other(1)")})
    message = "Change\n\nWhy: none" if how == "said" else "Change"
    wrapped, quoted = ["call(", "  one, 'two')"], ['call(one, "two")']
    after = {"wrapped": wrapped, "quotes": quoted}.get(how, ["call(one, 'three')"])
    second = clone.commit(message, **{"a.py": text(*after, "keep()", "other(1)")})
    if how == "listed":
        clone.commit("List\n\nWhy: none", **{".git-blame-ignore-revs": f"# words\n{second}\n"})
    assert set(survivors(clone, keep=True)["a.py"]) == {first}
    clone.git("notes", "--ref=whytree", "add", "-m", "SOL-3", second)
    assert set(survivors(clone, keep=True)["a.py"]) == {first, second}
    assert survivors(clone) == blamed(clone)


def test_what_a_maintenance_commit_added_stays_with_it(clone: Clone) -> None:
    first = clone.commit("Add", **{"a.py": text("alpha = load_all(one)", "beta = 2")})
    second = clone.commit(
        "Tidy\n\nWhy: none", **{"a.py": text("import logging", "alpha = load_all(first)", "beta = 2")}
    )
    assert survivors(clone)["a.py"] == [second, first, first]


def test_octopus_merges_several_roots_and_criss_crosses_are_followed(clone: Clone) -> None:
    clone.commit("Root", **{"a.py": text(*"abcdefgh")})
    for name in ("one", "two", "three"):
        clone.git("switch", "--quiet", "--create", name, "main")
        clone.commit(name, **{f"{name}.py": text(*LONG[:3]), "a.py": text(*"abcdefgh")})
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--message", "Octopus", "one", "two", "three")
    clone.git("switch", "--quiet", "--orphan", "other")
    clone.commit("Another root", **{"b.py": text(*"xyz")})
    clone.git("switch", "--quiet", "main")
    clone.git("merge", "--quiet", "--allow-unrelated-histories", "--message", "Join", "other")
    clone.git("branch", "left")
    clone.git("branch", "right")
    clone.git("switch", "--quiet", "left")
    left = clone.commit("Left", **{"a.py": text(*"Abcdefgh")})
    clone.git("switch", "--quiet", "right")
    right = clone.commit("Right", **{"a.py": text(*"abcdefgH")})
    clone.git("merge", "--quiet", "--message", "Cross", left)
    clone.git("switch", "--quiet", "left")
    clone.git("merge", "--quiet", "--message", "Criss", right)
    clone.git("merge", "--quiet", "--message", "Both", "right")
    assert survivors(clone) == blamed(clone)
    assert {left, right} < set(survivors(clone)["a.py"])


def test_a_link_a_module_and_data_have_no_lines_and_may_become_text(clone: Clone) -> None:
    clone.commit("Add", **{"a.py": "a\n", "b.bin": "\0\n"})
    (clone.path / "link").symlink_to("a.py")
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{clone.head},vendor")
    clone.git("add", "link")
    clone.git("commit", "--quiet", "--message", "Link")
    assert set(survivors(clone)) == {"a.py"}
    (clone.path / "link").unlink()
    clone.write("link", "now text\n")
    clone.git("add", "link")
    clone.git("commit", "--quiet", "--message", "Text")
    assert survivors(clone)["link"] == [clone.head]


def test_odd_paths_and_settings_of_the_person_change_nothing(clone: Clone) -> None:
    for key, value in {
        "diff.noprefix": "true", "diff.algorithm": "patience", "diff.context": "9", "diff.interHunkContext": "5",
        "diff.renames": "false", "core.quotePath": "true", "log.showRoot": "false", "color.ui": "always",
        "diff.mnemonicPrefix": "true", "log.diffMerges": "separate", "diff.wordRegex": ".",
    }.items():  # fmt: skip
        clone.git("config", key, value)
    path = "größe\t\"x' -\n.py"
    first = clone.commit("Add", **{path: text("a", "b", "c"), os.fsdecode(b"latin-\xe9"): "x\n"})
    second = clone.commit("Change", **{path: text("a", "B", "c")})
    assert survivors(clone) == {path: [first, second, first], os.fsdecode(b"latin-\xe9"): [first]}


def test_content_that_looks_like_git_talking_is_content(clone: Clone) -> None:
    lines = [
        "commit " + "a" * 40,
        "@@ -1 +1 @@",
        "diff --git a/x b/x",
        "--- a/x",
        "+++ b/x",
        "\\ No newline",
        "-",
        "+",
        "",
    ]
    first = clone.commit("Add", **{"a.py": text(*lines)})
    second = clone.commit("Twice", **{"a.py": text(*lines, *lines).rstrip("\n")})
    assert survivors(clone)["a.py"] == blamed(clone)["a.py"]
    assert set(survivors(clone)["a.py"]) <= {first, second}


def test_a_shallow_clone_tells_what_it_has(clone: Clone, tmp_path: Path) -> None:
    clone.commit("One", **{"a.py": "a\n"})
    second = clone.commit("Two", **{"a.py": "a\nb\n"})
    clone.git("clone", "--quiet", "--depth=1", f"file://{clone.path}", str(tmp_path / "shallow"))
    shallow = Survivors(open_clone(tmp_path / "shallow"))
    version = shallow.read()["a.py"]
    assert shallow.ledger.commits_of(version.lines) == [(1, 2, second)]


def lose(clone: Clone, content: str) -> None:
    """Take one content, `revision:path`, out of the clone."""
    blob = clone.git("rev-parse", content)
    (clone.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def test_contents_that_are_missing_cost_only_the_files_that_held_them(clone: Clone) -> None:
    clone.commit("One", **{"a.py": "a\n", "b.py": text(*"bcdefgh"), "c.py": "c\n"})
    lose(clone, "HEAD:a.py")
    clone.git("mv", "b.py", "deeper.py")
    clone.commit("Two", **{"a.py": "b\n", "c.py": "c\nd\n"})
    reading = Survivors(open_clone(clone.path))
    assert set(reading.read(keep=False)) == {"deeper.py", "c.py"}
    assert len(reading.damaged) == 2, "the commit that brought it, and the one that changed it"
    told = survivors(clone)
    clone.git("rm", "--quiet", "a.py")
    clone.commit("Gone")
    assert told == blamed(clone)


def test_a_damaged_clone_is_read_once_and_anew_when_it_is_mended(clone: Clone) -> None:
    clone.commit("One", **{"a.py": "a\n", "c.py": "c\n"})
    blob = clone.git("rev-parse", "HEAD:a.py")
    content = (clone.path / ".git" / "objects" / blob[:2] / blob[2:]).read_bytes()
    lose(clone, "HEAD:a.py")
    clone.commit("Two", **{"a.py": "b\n"})
    first, again = Survivors(open_clone(clone.path)), Survivors(open_clone(clone.path))
    assert set(first.read()) == set(again.read()) == {"c.py"}
    assert (first.replayed, again.replayed) == (2, 0)
    assert len(first.damaged) == 2
    assert again.damaged == first.damaged, "what is missing is told though nothing was read"
    clone.commit("Three", **{"c.py": "d\n"})
    later = Survivors(open_clone(clone.path))
    later.read()
    assert (later.replayed, later.damaged) == (1, first.damaged)
    (clone.path / ".git" / "objects" / blob[:2] / blob[2:]).write_bytes(content)
    mended = Survivors(open_clone(clone.path))
    assert set(mended.read()) == {"a.py", "c.py"}
    assert (mended.replayed, mended.damaged) == (3, set())


def test_a_merge_with_missing_contents_costs_only_the_files_that_held_them(clone: Clone) -> None:
    clone.commit("One", **{"a.py": text(*"abcde"), "b.py": text(*"vwxyz")})
    clone.git("checkout", "--quiet", "-b", "side")
    clone.commit("Side", **{"a.py": text(*"abcdE"), "b.py": text(*"vwxyZ")})
    lose(clone, "HEAD:a.py")
    clone.git("checkout", "--quiet", "main")
    clone.commit("Main", **{"a.py": text(*"Abcde"), "b.py": text(*"Vwxyz")})
    clone.git("merge", "--quiet", "--strategy=ours", "--no-commit", "side")
    clone.commit("Join", **{"a.py": text(*"AbcdE"), "b.py": text(*"VwxyZ")})
    told = survivors(clone)
    assert set(told) == {"b.py"}
    clone.git("rm", "--quiet", "a.py")
    clone.commit("Gone")
    assert told == blamed(clone)


def test_a_merge_is_told_though_git_would_look_into_missing_contents_for_a_rename(clone: Clone) -> None:
    clone.commit("One", **{"a.py": text(*"abcde"), "b.py": text(*"vwxyz")})
    clone.git("checkout", "--quiet", "-b", "side")
    clone.git("rm", "--quiet", "a.py")
    clone.commit("Side", **{"c.py": text(*"abcdef")})
    clone.git("checkout", "--quiet", "main")
    clone.commit("Main", **{"b.py": text(*"Vwxyz")})
    clone.git("merge", "--quiet", "--no-ff", "--message=Join", "side")
    lose(clone, "HEAD:c.py")
    told = survivors(clone)
    assert set(told) == {"b.py"}


def test_a_clone_that_lacks_most_contents_is_not_read_commit_by_commit(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whytree.code.blame.survivors._MOST_DAMAGED", 2)
    for number in range(6):
        clone.commit("More", **{"a.py": f"{number}\n"})
        lose(clone, "HEAD:a.py")
    with pytest.raises(CommandError, match="git log failed"):
        survivors(clone)


@pytest.mark.parametrize("damage", ["cut", "rubbish", "another format", "a number too large"])
def test_what_was_kept_is_thrown_away_when_it_cannot_be_read(clone: Clone, damage: str) -> None:
    clone.commit("One", **{"a.py": "a\nb\n"})
    told = survivors(clone, keep=True)
    kept = clone.path / ".git" / "whytree" / "survivors"
    raw = kept.read_bytes()
    kept.write_bytes(
        {
            "cut": raw[:-5],
            "rubbish": b"\xff\x00" * 50,
            "another format": raw.replace(b'"format": 1', b'"format": 0'),
            "a number too large": raw.replace(b'"next": 3', b'"next": "many"'),
        }[damage]
    )
    assert survivors(clone, keep=True) == told


def test_after_a_commit_only_that_commit_is_replayed(clone: Clone) -> None:
    for number in range(5):
        clone.commit("More", **{"a.py": text(*"abcdefgh"[: number + 1])})
    survivors(clone, keep=True)
    clone.commit("Last", **{"a.py": text(*"abcdefghi")})
    again = Survivors(open_clone(clone.path))
    again.read()
    assert again.replayed == 1
    clone.git("commit", "--quiet", "--amend", "--message", "A history that was rewritten")
    again = Survivors(open_clone(clone.path))
    again.read()
    assert again.replayed == 6


def test_a_git_folder_that_cannot_be_written_costs_time_only(clone: Clone) -> None:
    clone.commit("One", **{"a.py": "a\n"})
    (clone.path / ".git" / "whytree").write_text("a file in the way")
    assert survivors(clone, keep=True) == {"a.py": [clone.head]}


def test_a_process_beside_us_leaves_nothing_to_replay_and_runs_nothing_of_the_clone(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = clone.path / "ran"
    bait = f"open({str(trap)!r}, 'w')\n"
    for number in range(3):
        files = {"a.py": text(*"abcdefgh"[: number + 1]), "json.py": bait, "whytree/__init__.py": bait}
        clone.commit("More", **files)
    monkeypatch.chdir(clone.path)
    monkeypatch.setenv("PYTHONPATH", str(Path(whytree.__file__).parent.parent))
    told: list[tuple[int, int]] = []
    ahead = ReadAhead.begin(open_clone(clone.path), FEWEST_COMMITS, lambda done, total: told.append((done, total)))
    assert ahead
    ahead.wait()
    ahead.stop()
    reading = Survivors(open_clone(clone.path))
    assert sorted(reading.read()) == ["a.py", "json.py", "whytree/__init__.py"]
    assert (reading.replayed, told) == (0, [(3, 3)])
    assert not trap.exists()


def test_what_stands_against_reading_is_said_by_the_process_beside_us_and_not_tried_again(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.commit("One", **{"a.py": "a\n"})
    lose(clone, "HEAD^{tree}")
    monkeypatch.setenv("PYTHONPATH", str(Path(whytree.__file__).parent.parent))
    ahead = ReadAhead.begin(open_clone(clone.path), FEWEST_COMMITS, lambda done, total: None)
    assert ahead
    with pytest.raises(CommandError, match="git log failed"):
        ahead.wait()
    ahead.stop()
