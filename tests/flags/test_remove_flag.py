"""`whytree flag remove`: a patch that applies, files that are whole, and a refusal that names every place."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.code.repositories import Clone
from whytree.flags.services import create_flag

FORM = """\
from app import flags


def form(person):
    if flags.is_on("defer", person):
        return short(person)
    return long(person)
"""
SHORT = """\
def form(person):
    return short(person)
"""
TEST = 'def test_it(flag):\n    flag("defer", True)\n'


@pytest.fixture
def flag(actor: Any, product: Any, solution: Any) -> Any:
    return create_flag(actor, product, key="defer", solution=solution)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "sprout-app")
    made.commit(
        "Ask",
        **{"app/form.py": FORM, "app/__init__.py": "", "app/flags.py": "", "web.js": 'if (on("defer")) later()\n'},
    )
    return made


def test_the_patch_applies_and_leaves_what_was_meant(cli: Any, clone: Clone, flag: Any) -> None:
    done = cli("flag", "remove", "defer", "--keep", "on", cwd=clone.path)
    assert done.exit_code == 0
    assert clone.read("app/form.py") == FORM
    patch = done.stdout
    subprocess.run(["git", "apply"], cwd=clone.path, input=patch.encode(), check=True)
    assert clone.read("app/form.py") == SHORT
    assert "left: web.js:1" in done.stderr


def test_no_filter_is_run_that_the_clone_or_its_submodule_names(
    cli: Any, clone: Clone, flag: Any, tmp_path: Path
) -> None:
    library = Clone(tmp_path / "library")
    library.commit("Start", **{"lib.py": "a = 1\n"})
    clone.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.path), "lib")
    clone.commit("Use it", **{"app/extra.py": "a = 1\n"})
    for folder, name in ((".git", "outer"), (".git/modules/lib", "inner")):
        (clone.path / folder / "info").mkdir(exist_ok=True)
        clone.write(f"{folder}/info/attributes", f"*.py filter={name}\n")
        run = f"sh -c 'touch {tmp_path}/owned-{name}; cat'"
        clone.git("config", "--file", str(clone.path / folder / "config"), f"filter.{name}.clean", run)
    clone.write("app/extra.py", "b = 1\n")
    clone.write("lib/lib.py", "b = 1\n")
    assert cli("flag", "remove", "defer", "--keep", "on", cwd=clone.path).exit_code == 0
    assert not list(tmp_path.glob("owned-*"))
    clone.git("diff", "--name-only", "HEAD")
    assert len(list(tmp_path.glob("owned-*"))) == 2, "git itself runs both"


def test_a_file_without_a_last_newline_and_with_windows_ends_is_patched(cli: Any, clone: Clone, flag: Any) -> None:
    clone.git("config", "core.autocrlf", "false")
    clone.commit("More", **{"b.py": 'if is_on("defer"):\r\n    a()\r\nelse:\r\n    b()\r\nc()'})
    done = cli("flag", "remove", "defer", "--keep", "off", "--only", "b.py", "--json", cwd=clone.path)
    patch = json.loads(done.output)["patch"]
    subprocess.run(["git", "apply"], cwd=clone.path, input=patch.encode(), check=True)
    assert (clone.path / "b.py").read_bytes() == b"b()\r\nc()"


def test_files_are_written_only_when_said_and_keep_their_mode(cli: Any, clone: Clone, flag: Any) -> None:
    (clone.path / "app/form.py").chmod(0o755)
    clone.commit("Make it a program")
    done = cli("flag", "remove", "defer", "--keep", "on", "--write", cwd=clone.path)
    assert done.exit_code == 0
    assert clone.read("app/form.py") == SHORT
    assert (clone.path / "app/form.py").stat().st_mode & 0o777 == 0o755
    assert not list(clone.path.rglob("*.whytree"))


def test_one_unsure_place_stops_all_and_only_names_what_is_changed_anyway(cli: Any, clone: Clone, flag: Any) -> None:
    clone.commit("Test", **{"tests/test_form.py": TEST})
    done = cli("flag", "remove", "defer", "--keep", "on", "--write", cwd=clone.path)
    assert done.exit_code == 1
    assert "tests/test_form.py:2  the value of flag() is not used here" in done.output
    assert clone.read("app/form.py") == FORM
    assert cli("flag", "remove", "defer", "--keep", "on", "--write", "--only", "app", cwd=clone.path).exit_code == 0
    assert (clone.read("app/form.py"), clone.read("tests/test_form.py")) == (SHORT, TEST)


def test_a_file_that_does_not_parse_stops_it(cli: Any, clone: Clone, flag: Any) -> None:
    clone.commit("Old", **{"old.py": 'print "defer"\n'})
    done = cli("flag", "remove", "defer", "--keep", "on", cwd=clone.path)
    assert "old.py:1  this file does not parse as Python" in done.output


def test_what_is_not_committed_is_not_touched(cli: Any, clone: Clone, flag: Any) -> None:
    clone.write("app/form.py", FORM + "# mine\n")
    done = cli("flag", "remove", "defer", "--keep", "on", "--write", cwd=clone.path)
    assert "Not committed yet: app/form.py" in str(done.exception)
    assert clone.read("app/form.py") == FORM + "# mine\n"


def test_a_variant_that_is_none_an_object_and_an_unknown_flag_are_told(
    cli: Any, clone: Clone, actor: Any, product: Any, flag: Any
) -> None:
    assert "It has: " in str(cli("flag", "remove", "defer", "--keep", "red", cwd=clone.path).exception)
    create_flag(actor, product, key="box", kind="json", variants={"a": {"n": 1}, "b": {"n": 2}})
    assert "Do it by hand" in str(cli("flag", "remove", "box", "--keep", "a", cwd=clone.path).exception)
    assert "no flag" in str(cli("flag", "remove", "nope", "--keep", "on", cwd=clone.path).exception)


def test_without_a_flag_or_a_variant_it_says_which_there_are(cli: Any, clone: Clone, flag: Any) -> None:
    said = str(cli("flag", "remove", cwd=clone.path).exception)
    assert "whytree flag remove KEY --keep on" in said
    assert "There are defer; what each waits for" in said
    assert "It has: " in str(cli("flag", "remove", "defer", cwd=clone.path).exception)


def test_a_reader_of_ones_own_is_named(cli: Any, clone: Clone, flag: Any) -> None:
    clone.commit("Own", **{"app/form.py": 'x = 1 if gate("defer") else 2\n'})
    assert cli("flag", "remove", "defer", "--keep", "on", cwd=clone.path).exit_code == 1
    done = cli("flag", "remove", "defer", "--keep", "on", "--reader", "gate", "--write", cwd=clone.path)
    assert done.exit_code == 0
    assert clone.read("app/form.py") == "x = 1\n"


def test_nothing_to_remove_is_said(cli: Any, clone: Clone, flag: Any) -> None:
    clone.commit("Without", **{"app/form.py": "pass\n"})
    assert (
        "No Python code of this clone asks for defer"
        in cli("flag", "remove", "defer", "--keep", "on", cwd=clone.path).output
    )


def test_a_string_variant_keeps_the_branch_that_compares_with_it(
    cli: Any, clone: Clone, actor: Any, product: Any
) -> None:
    create_flag(actor, product, key="tone", kind="string", variants={"calm": "soft", "loud": "hard"})
    clone.commit(
        "Tone", **{"tone.py": 'if client.get_string_value("tone", "soft") == "hard":\n    a()\nelse:\n    b()\n'}
    )
    assert cli("flag", "remove", "tone", "--keep", "calm", "--write", cwd=clone.path).exit_code == 0
    assert clone.read("tone.py") == "b()\n"


def test_links_that_the_clone_holds_lead_nowhere(cli: Any, clone: Clone, flag: Any, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    (clone.path / "app" / "form.py.whytree").symlink_to(outside)
    clone.git("add", ".")
    clone.git("commit", "-qm", "A trap")
    assert cli("flag", "remove", "defer", "--keep", "on", "--write", cwd=clone.path).exit_code == 0
    assert outside.read_text() == "mine"
    assert not (clone.path / "app" / "form.py").is_symlink()
    assert "defer" not in (clone.path / "app" / "form.py").read_text()
