"""`whytree init` in a clone: from nothing to one true sentence."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.code.conftest import refusal
from tests.code.repositories import QUIET, Clone
from tests.servers import live_env, whytree
from whytree.code.models import Commit, FileBlame, Repository, Ticket
from whytree.tree.models import Draft
from whytree.why.first.reverse_tree import propose
from whytree.workspace.models import Product

pytestmark = pytest.mark.slow  # real programs, real files: left out of `make quick`

PATH = "app/checks.py"
CODE = "def pause(check):\n    check.status = 'paused'\n    check.save()\n    return check\n"
ISSUES = [
    {
        "number": 38,
        "title": "Temporarily disable a check",
        "body": "### Problem\n\nWhen I do maintenance I get paged for things I broke on purpose.",
        "author": {"login": "mara"},
        "createdAt": "2026-02-01T10:00:00Z",
        "state": "CLOSED",
        "url": "https://github.com/acme/sprout/issues/38",
    },
    {
        "number": 39,
        "title": "Bump x",
        "author": {"login": "dependabot[bot]"},
        "url": "https://github.com/acme/sprout/issues/39",
    },
]


@pytest.fixture
def sprout(clone: Clone) -> Clone:
    """A team's clone: one commit closes a ticket, one refers to it, one says nothing."""
    clone.git("remote", "add", "origin", "https://github.com/acme/sprout.git")
    clone.commit("Start", **{"README.md": "# Sprout\n"})
    clone.commit("Add the ability to pause checks\n\nFixes #38", **{PATH: CODE})
    clone.commit("Speed it up, refs #38", **{"app/fast.py": "x = 1\ny = 2\n"})
    return clone


@pytest.fixture
def issues(tmp_path: Path) -> Path:
    path = tmp_path / "issues.json"
    path.write_text(json.dumps(ISSUES), encoding="utf-8")
    return path


def init(cli: Any, clone: Clone, *words: str) -> str:
    result = cli("init", *words, cwd=clone.path)
    assert result.exit_code == 0, result.output or result.exception
    return str(result.output)


def init_json(cli: Any, clone: Clone, *words: str) -> Any:
    return json.loads(init(cli, clone, "--json", *words))


# What it says ------------------------------------------------------------------------------------------


def test_without_the_tickets_words_it_says_so_and_how_to_bring_them(cli: Any, sprout: Clone) -> None:
    said = init(cli, sprout)
    assert "86 % of this code can name the ticket behind it. Bring the tickets’ words" in said
    assert (
        "Of 7 lines, 0 lead to somebody’s words or a stated reason, 6 name a ticket whose words are not known here, 1 say nothing."
        in said
    )
    assert "whytree init --tickets issues.json" in said
    assert "Nothing was sent anywhere." in said


def test_lines_of_requests_that_nobody_has_read_are_told_from_those_that_say_nothing(cli: Any, clone: Clone) -> None:
    clone.git("remote", "add", "origin", "https://github.com/acme/sprout.git")
    clone.commit("Start", **{"README.md": "# Sprout\n"})
    clone.commit("Pause checks (#41)", **{PATH: CODE})
    said = init(cli, clone)
    assert "came with pull requests that nobody has read yet. Ask the tracker what they were for" in said
    assert "came with a pull request that was not read, 1 say nothing." in said
    assert "whytree init --sync" in said
    asked = cli("why", f"{PATH}:1", cwd=clone.path)
    assert "Ask the tracker what pull request #41 was for: whytree ticket sync" in asked.output


def test_with_an_export_a_line_leads_to_its_askers_words(cli: Any, sprout: Clone, issues: Path) -> None:
    said = init(cli, sprout, "--tickets", str(issues))
    assert "issues.json (GitHub issues (gh --json)): 1 new ticket, 1 changed." in said
    assert "86 % of this code can already say whom it was for." in said
    assert "57 % by closing keyword, 29 % by ticket reference" in said
    assert f"whytree why {PATH}:1 " in said  # a line that names something
    screen = cli("why", f"{PATH}:1", cwd=sprout.path).output
    for words in (
        "inferred: closing keyword (0.9)",
        "#38 Temporarily disable a check",
        "“When I do maintenance I get paged for things I broke on purpose.”  mara",
        "inferred: author of the ticket (0.7)",
        "nobody has said what this should change for people",
        "open question",
    ):
        assert words in screen, screen


def test_a_machines_words_are_nobodys_voice(cli: Any, sprout: Clone, issues: Path) -> None:
    sprout.commit("Bump x\n\nFixes #39", **{"lock.py": "z = 1\n"})
    told = init_json(cli, sprout, "--tickets", str(issues))
    assert (told["heard"]["told_lines"], told["heard"]["named_lines"]) == (6, 1)
    answer = json.loads(cli("why", "lock.py:1", "--json", cwd=sprout.path).output)
    assert (answer["ticket"]["key"], answer["evidence"]) == ("#39", [])


def test_a_release_that_sums_up_tickets_is_for_none_of_them(cli: Any, sprout: Clone, issues: Path) -> None:
    sprout.commit("Release 2\n\nFixes #38, #40, #41, #42, #43", **{"CHANGES.md": "2\n"})
    sprout.commit("Do both\n\nFixes #38, #40", **{"both.py": "x = 1\n"})
    told = init_json(cli, sprout, "--tickets", str(issues))
    assert told["heard"]["told_lines"] == 7  # six of before, and one that is for either
    release = json.loads(cli("why", "CHANGES.md:1", "--json", cwd=sprout.path).output)
    assert (release["ticket"], release["evidence"]) == (None, [])
    both = cli("why", "both.py:1", cwd=sprout.path).output
    assert "The commit names #40 too; its lines may be for any of them." in both


def test_everything_it_says_is_there_as_json(cli: Any, sprout: Clone, issues: Path) -> None:
    told = init_json(cli, sprout, "--tickets", str(issues))
    assert told["sentence"] == "86 % of this code can already say whom it was for."
    assert (told["line"], told["product"]) == (f"{PATH}:1", "sprout")
    assert told["read"]["new_commits"] == 3
    assert told["tickets_read"][0]["new"] == 1
    assert told["drafts"] == {"new": 0, "kept": 0, "open": 0}  # too little code to be worth a node
    assert [one["key"] for one in told["ask"]] == ["#38", "#38"]


def test_running_it_again_reads_only_what_is_new(cli: Any, sprout: Clone, issues: Path) -> None:
    init(cli, sprout, "--tickets", str(issues))
    sprout.commit("Test it, refs #38", **{"app/new.py": "x = 3\n"})
    told = init_json(cli, sprout)
    assert (told["read"]["new_commits"], told["heard"]["commits"]) == (1, 4)
    assert Repository.objects.count() == 1
    assert Ticket.objects.count() == 2
    assert Product.objects.count() == 1


def test_maintenance_and_unknown_ids_are_told_apart(cli: Any, clone: Clone) -> None:
    clone.commit("Format\n\nWhy: none", **{"a.py": "x = 1\n"})
    clone.commit("Grow\n\nWhy: SOL-7", **{"b.py": "x = 1\ny = 2\n"})
    told = init_json(cli, clone)
    assert (
        told["sentence"]
        == "67 % of this code states a reason that is not in this tree. Bring it: whytree import tree FILE"
    )
    assert "1 are maintenance by their own word, 2 state a reason that is not in this tree" in told["how"]


def test_a_tree_that_is_kept_beside_the_code_is_named(cli: Any, clone: Clone) -> None:
    kept = '{"whytree_tree": 1, "product": {"name": "Sprout"}, "nodes": []}'
    clone.commit("Grow\n\nWhy: SOL-7", **{"b.py": "x = 1\n" * 9, "docs/why tree.json": kept, "why.json": "[]"})
    assert init_json(cli, clone)["sentence"].endswith("Bring it: whytree import tree 'docs/why tree.json'")


# What the files say ------------------------------------------------------------------------------------


def test_flags_decisions_owners_and_releases_are_found(cli: Any, sprout: Clone) -> None:
    sprout.commit(
        "Add",
        **{
            "app/views.py": "if flags.is_enabled('defer_phone'):\n    pass\n",
            "app/test_views.py": "flags.is_enabled('only_in_tests')\n",
            "docs/adr/0001-use-sqlite.md": "# 1. Use SQLite\n\nDate: 2026-01-02\n\n## Status\n\nAccepted\n",
            "docs/adr/0002-broken.md": "nothing that is a title\n",
            ".github/CODEOWNERS": "*.py @acme/core\n",
        },
    )
    sprout.git("tag", "v1.2.0")
    told = init_json(cli, sprout)
    assert (told["flags"], told["decisions"], told["releases"]) == (1, 1, 1)
    assert "Not readable as decision records: docs/adr/0002-broken.md." in told["read"]["left_out"]
    survey = Repository.objects.get().survey
    assert survey["flags"][0]["places"] == [["app/views.py", 1]]
    assert survey["decisions"][0]["status"] == "accepted"
    assert survey["owners"] == [["*.py", ["@acme/core"]]]
    draft = Draft.objects.get()
    assert (draft.title, draft.rule) == ("defer_phone", "flag in code")
    listed = cli("draft", "list", cwd=sprout.path).output
    assert "defer_phone" in listed
    assert "solution · flag in code (0.6) · The code asks for this flag" in listed


def test_merged_work_and_alike_tickets_become_drafts(cli: Any, sprout: Clone, tmp_path: Path) -> None:
    wanted = [(50, "Pause a check from the list"), (51, "Pausing a check by API"), (52, "Pause all checks")]
    for number, _ in wanted:
        body = "".join(f"value_{number}_{place} = {place}\n" for place in range(20))
        sprout.commit(f"Work on it\n\nFixes #{number}", **{f"app/part{number}.py": body})
    sprout.commit("Show badges (#60)", **{"app/badges.py": "".join(f"badge{n} = {n}\n" for n in range(30))})
    sprout.commit("Bump django from 4 to 5 (#61)", **{"lock.py": "".join(f"pin{n} = {n}\n" for n in range(40))})
    rows = [{"number": number, "title": title, "author": {"login": f"p{number}"}} for number, title in wanted]
    rows += [
        {"number": 70 + n, "title": f"Something about {word}"} for n, word in enumerate(("mail", "colours", "speed"))
    ]
    export = tmp_path / "more.json"
    export.write_text(json.dumps(rows), encoding="utf-8")
    init(cli, sprout, "--tickets", str(export))
    topic = Draft.objects.get(kind="OPP")
    assert topic.title in {title for _, title in wanted}
    assert len(topic.tickets) == 3
    solutions = list(Draft.objects.filter(kind="SOL"))
    assert {draft.title for draft in solutions} == {*(title for _, title in wanted), "Show badges"}
    assert {draft.parent for draft in solutions} == {topic, None}
    answer = json.loads(cli("why", "app/part50.py:1", "--json", cwd=sprout.path).output)
    assert answer["explained"] is False
    assert answer["solution"] is None
    assert [one["kind"] for one in answer["drafts"]] == ["solution", "opportunity"]


def lines(name: str, count: int = 40) -> str:
    return "".join(f"{name}_{n} = {n}\n" for n in range(count))


def test_work_that_its_makers_announced_becomes_drafts_where_nobody_used_requests(
    cli: Any, sprout: Clone, actor: Any
) -> None:
    news = "# Changes\n\n## Unreleased\n- Badges show how a check is doing\n"
    sprout.commit("Badges for checks", **{"app/badges.py": lines("badge"), "CHANGES.md": news})
    pause = sprout.commit("feat(list): pause from the list", **{"app/list.py": lines("list")})
    sprout.commit("Add reminders", **{"app/remind.py": lines("remind")})
    sprout.commit("Add helpers for dates", **{"app/dates.py": lines("date")})
    sprout.commit("feat: tidy", **{"app/tidy.py": lines("tidy", 3)})
    sprout.commit("Cleaner words", **{"app/words.py": lines("word"), "CHANGES.md": news + "- Mail in plain text\n"})
    init(cli, sprout)
    drafts = {draft.title: draft for draft in Draft.objects.all()}
    assert {title: draft.rule for title, draft in drafts.items()} == {
        "Badges show how a check is doing": "changelog",
        "list: pause from the list": "feature commit",
        "Add reminders": "commit that adds",
    }
    assert drafts["Badges show how a check is doing"].because.endswith("; CHANGES.md:4")
    init(cli, sprout)
    assert {draft.title for draft in Draft.objects.all()} == drafts.keys()
    propose(actor, Repository.objects.create(product=Product.objects.get(), name="beside", root_sha="b" * 40))
    assert {draft.title for draft in Draft.objects.all()} == drafts.keys()  # reading another repository drops none
    listed = drafts["list: pause from the list"]
    asked = cli("why", "app/list.py:1", cwd=sprout.path).output
    assert "Nobody has said why this is here." in asked
    assert f"whytree draft confirm {listed.pk}" in " ".join(asked.split())
    cli("draft", "confirm", str(listed.pk), cwd=sprout.path)
    answer = json.loads(cli("why", "app/list.py:1", "--json", cwd=sprout.path).output)
    assert (answer["solution"]["title"], answer["links"][0]["provenance"]) == ("list: pause from the list", "stated")
    cli("repository", "sync", cwd=sprout.path)
    assert sprout.git("notes", "--ref=whytree", "show", pause) == f"Why: {answer['solution']['ref']}"


def test_what_tests_expect_and_data_rank_below_code(cli: Any, sprout: Clone) -> None:
    sprout.commit("Add grammars (#81)", **{"app/grammar.json": lines("rule", 4000), "app/grammar.py": lines("g", 3)})
    sprout.commit("Keep places (#82)", **{"app/tests/expected.py": lines("node", 120), "app/place.py": lines("p", 15)})
    sprout.commit("Show badges (#83)", **{"app/badges.py": lines("badge", 60)})
    told = init_json(cli, sprout)
    assert told["drafts"]["open"] == 3
    listed = json.loads(cli("draft", "list", "--json", cwd=sprout.path).output)
    assert [(one["title"], one["lines"]) for one in listed] == [
        ("Add grammars", 303),
        ("Show badges", 60),
        ("Keep places", 39),
    ]


def test_the_line_to_begin_with_is_found_though_its_file_has_moved_since(cli: Any, sprout: Clone) -> None:
    sprout.commit("Refs #90", **{"app/widget.py": lines("widget"), "docs/guide.rst": lines("word")})
    (sprout.path / "src/app").mkdir(parents=True)
    sprout.git("mv", "app/widget.py", "src/app/widget.py")
    sprout.git("rm", "--quiet", PATH)
    sprout.commit("Move the code below src")
    assert init_json(cli, sprout)["example"]["path"] == "src/app/widget.py"


# The questions -----------------------------------------------------------------------------------------


def test_without_a_terminal_it_prints_the_links_and_asks_nothing(cli: Any, sprout: Clone, issues: Path) -> None:
    said = init(cli, sprout, "--tickets", str(issues))
    assert "confirm them with: whytree init --confirm" in said
    assert "#38 Temporarily disable a check  inferred: ticket reference (0.6)" in said


def test_yes_states_a_link_and_no_ends_it(cli: Any, sprout: Clone, issues: Path) -> None:
    init(cli, sprout, "--tickets", str(issues))
    asked = cli("init", "--confirm", cwd=sprout.path, stdin="n\ny\n")
    assert asked.exit_code == 0, asked.exception
    assert "2 answered." in asked.output
    assert {link["right"] for commit in Commit.objects.all() for link in commit.answers} == {True, False}
    told = init_json(cli, sprout)  # reading again keeps the answers
    assert told["ask"] == []
    assert told["heard"]["by_rule"] == {"confirmed": 4}
    answer = json.loads(cli("why", f"{PATH}:1", "--json", cwd=sprout.path).output)
    assert answer["links"][0] | {"from": ""} == {
        "from": "",
        "to": "#38",
        "provenance": "stated",
        "rule": "confirmed",
        "score": None,
    }
    assert json.loads(cli("why", "app/fast.py:1", "--json", cwd=sprout.path).output)["ticket"] is None


def test_other_keys_are_asked_again_and_the_end_of_the_input_stops(cli: Any, sprout: Clone, issues: Path) -> None:
    init(cli, sprout, "--tickets", str(issues))
    said = cli("init", "--confirm", cwd=sprout.path, stdin="x\ns\n").output
    assert "0 answered. The others wait: whytree init --confirm" in said
    assert not any(commit.answers for commit in Commit.objects.all())


def test_escape_sequences_in_titles_are_not_obeyed(cli: Any, sprout: Clone, tmp_path: Path) -> None:
    export = tmp_path / "issues.json"
    export.write_text(json.dumps([{"number": 38, "title": "Red \x1b[31mtitle\x1b[0m", "body": "x"}]), encoding="utf-8")
    said = init(cli, sprout, "--tickets", str(export)) + cli("init", "--confirm", cwd=sprout.path, stdin="q\n").output
    assert "Red" in said
    assert "\x1b" not in said


# Repositories that are not as one would like --------------------------------------------------------


def test_outside_of_a_repository_it_says_where_to_go(cli: Any, tmp_path: Path) -> None:
    assert "is no git repository. Go into your clone" in refusal(cli("init", cwd=tmp_path))


def test_an_empty_history_has_nothing_to_say_yet(cli: Any, clone: Clone) -> None:
    assert "has no commit yet. Commit something" in refusal(cli("init", cwd=clone.path))


def test_a_bare_repository_is_refused_with_advice(cli: Any, sprout: Clone, tmp_path: Path) -> None:
    sprout.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))
    assert "bare repository" in refusal(cli("init", cwd=tmp_path / "bare.git"))


def test_without_git_it_says_how_to_get_it(cli: Any, sprout: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert "There is no git on this machine" in refusal(cli("init", cwd=sprout.path))


def cloned(sprout: Clone, target: Path, *words: str) -> Clone:
    sprout.git("config", "uploadpack.allowFilter", "true")
    environment = {**os.environ, **QUIET}
    command = ["git", "clone", "--quiet", *words, sprout.path.as_uri(), str(target)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    there = Clone.__new__(Clone)
    there.path, there._minute = target, 0
    return there


def test_a_shallow_clone_tells_what_it_can_and_stores_nothing(cli: Any, sprout: Clone, tmp_path: Path) -> None:
    shallow = cloned(sprout, tmp_path / "shallow", "--depth", "1")
    said = init(cli, shallow)
    assert "shallow is a shallow clone" in said
    assert "git fetch --unshallow" in said
    assert "1 name a ticket and 0 state a reason" in said
    assert init_json(cli, shallow)["shallow"] is True
    assert not Repository.objects.exists()


def test_a_partial_clone_is_read_without_going_over_the_network(cli: Any, sprout: Clone, tmp_path: Path) -> None:
    sprout.commit("Change all", **{PATH: CODE.replace("check", "ping")})
    partial = cloned(sprout, tmp_path / "partial", "--filter=blob:none")
    before = partial.git("count-objects", "-v")
    told = init_json(cli, partial)
    assert partial.git("count-objects", "-v") == before  # nothing was fetched
    assert (told["heard"]["commits"], told["heard"]["lines"]) == (4, 0)
    assert told["sentence"].startswith("50 % of these commits can name the ticket behind")
    assert "partial clone" in told["read"]["left_out"][0]
    assert "git fetch --refetch" in told["left_out"][0]


def test_submodules_and_large_files_elsewhere_are_said(cli: Any, sprout: Clone, tmp_path: Path) -> None:
    other = Clone(tmp_path / "other")
    other.commit("Start", a="x\n")
    sprout.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.path), "libs/other")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    sprout.commit("Add", **{".gitattributes": "*.psd filter=lfs\n", "a.psd": pointer})
    said = init(cli, sprout)
    assert "One submodule is a repository of its own. Read it there: whytree init libs/other" in said
    assert "Files kept by Git LFS are pointers" in said


def test_odd_encodings_and_huge_messages_are_read(cli: Any, sprout: Clone) -> None:
    sprout.write("latin.py", "x = 'Größe'\n".encode("latin-1"))
    sprout.git("add", "--all")
    sprout.git(
        "-c", "i18n.commitEncoding=latin1", "commit", "--quiet", "-F", "-", stdin="Größe\n\nFixes #38".encode("latin-1")
    )
    sprout.git(
        "commit", "--quiet", "--allow-empty", "-F", "-", stdin=b"x" * 1_000_000 + b"\n\n\x1b[31m" + b"y" * 100_000
    )
    told = init_json(cli, sprout)
    assert told["heard"]["commits"] == 5
    assert "Größe" in Commit.objects.values_list("subject", flat=True)


def test_a_detached_head_and_a_worktree_are_read_like_any_other(cli: Any, sprout: Clone, tmp_path: Path) -> None:
    sprout.git("checkout", "--quiet", "--detach")
    assert init_json(cli, sprout)["heard"]["commits"] == 3
    sprout.git("worktree", "add", "--quiet", str(tmp_path / "beside"))
    result = cli("init", "--json", cwd=tmp_path / "beside")
    assert json.loads(result.output)["read"]["new_commits"] == 0  # the same history is the same repository
    assert Repository.objects.count() == 1


def test_a_history_rewritten_after_init_is_read_anew(cli: Any, sprout: Clone) -> None:
    init(cli, sprout)
    sprout.git("commit", "--quiet", "--amend", "--message", "Speed it up, fixes #41")
    told = init_json(cli, sprout)
    assert told["read"]["new_commits"] == 1
    assert set(FileBlame.objects.get(path="app/fast.py").spans[0][2:]) == {sprout.head}
    assert Ticket.objects.filter(key="#41").exists()


def test_another_first_commit_in_the_same_place_is_for_a_person_to_settle(cli: Any, sprout: Clone) -> None:
    init(cli, sprout)
    sprout.git("checkout", "--quiet", "--orphan", "fresh")
    sprout.commit("Start over")
    message = refusal(cli("init", cwd=sprout.path))
    assert "sprout-app is another repository here" in message
    assert "--name" in message
    assert Product.objects.count() == 1
    told = init_json(cli, sprout, "--name", "sprout-2")
    assert told["heard"]["repository"] == "sprout-2"


def test_a_second_repository_gets_a_product_of_its_own_and_no_command_has_to_ask(
    cli: Any, sprout: Clone, tmp_path: Path
) -> None:
    init(cli, sprout)
    other = Clone(tmp_path / "other")
    other.commit("Start", **{"a.py": "x = 1\n"})
    assert "Made the product other." in init(cli, other)
    assert Product.objects.count() == 2
    assert json.loads(cli("why", "a.py:1", "--json", cwd=other.path).output)["commit"]["repository"] == "other"
    assert json.loads(cli("why", f"{PATH}:1", "--json", cwd=sprout.path).output)["ticket"]["key"] == "#38"
    init(cli, sprout)  # known by its first commit
    assert Product.objects.count() == 2


def test_it_leaves_in_a_clone_what_the_guide_says_and_no_more(cli: Any, sprout: Clone) -> None:
    def files() -> dict[Path, bytes]:
        there = (path for path in sprout.path.rglob("*") if path.is_file() and path.name != "index")
        return {path: path.read_bytes() for path in there}

    before = files()
    init(cli, sprout)
    sprout.git("config", "--unset", "whytree.product")
    left = {path: raw for path, raw in files().items() if path.parent != sprout.path / ".git/whytree"}
    assert left == before


def test_an_export_that_cannot_be_read_says_so(cli: Any, sprout: Clone, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{]", encoding="utf-8")
    assert refusal(cli("init", "--tickets", str(tmp_path / "bad.json"), cwd=sprout.path))
    assert "There is no file" in refusal(cli("init", "--tickets", str(tmp_path / "none.json"), cwd=sprout.path))


# From nothing ------------------------------------------------------------------------------------------


def test_the_first_run_makes_the_owner_and_the_product_and_never_again(sprout: Clone, tmp_path: Path) -> None:
    """In processes of their own: no account, no product, no server."""
    env = live_env(tmp_path / "data")
    sprout.git("config", "user.email", "ana@laptop")  # git takes that, and it is no reason to stop
    said = whytree(env, "init", str(sprout.path)).stdout
    assert "Made the product sprout-app." in said
    assert "86 % of this code can name the ticket behind it." in said
    assert json.loads(whytree(env, "product", "list", "--json").stdout)[0]["slug"] == "sprout-app"
    assert "owner@localhost.localdomain" in whytree(env, "sign-in", "--json").stdout
    token = (tmp_path / "data" / "owner.token").read_text()
    again = whytree(env, "init", str(sprout.path)).stdout
    assert "Made" not in again
    assert (tmp_path / "data" / "owner.token").read_text() == token
    assert (
        "Its commit names #38, whose words are not known here."
        in whytree(env, "why", f"{PATH}:2", cwd=sprout.path).stdout
    )


def test_git_is_the_only_program_it_needs_and_not_even_an_address_in_it(sprout: Clone, tmp_path: Path) -> None:
    git = shutil.which("git")
    assert git
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(git)
    sprout.git("config", "--unset", "user.email")
    home = {"HOME": str(tmp_path / "home"), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    env = {**live_env(tmp_path / "data"), **home, "PATH": str(tmp_path / "bin")}
    done = whytree(env, "init", str(sprout.path))
    assert "Made the product sprout-app." in done.stdout
    assert "can name the ticket" in done.stdout


def test_a_data_folder_that_cannot_be_written_is_said(sprout: Clone, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here stands something else")
    done = whytree(live_env(tmp_path / "file"), "init", str(sprout.path), check=False)
    assert done.returncode == 1
    assert "data folder cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
