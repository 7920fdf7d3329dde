"""The docs are true: every setting, command, operation and event is in them, and every link leads somewhere."""

import re
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


def _generator() -> Any:
    spec = spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["settings.md", "commands.md", "api.md", "tools.md"])
def test_the_reference_says_what_the_code_says(page: str) -> None:
    written = (ROOT / "docs" / "reference" / page).read_text("utf-8")
    assert written == _generator().PAGES[page](), "run: python docs/generate.py"


def test_every_command_has_help_and_speaks_json() -> None:
    import typer.main

    from whytree.site.cli import build

    without_json = {"whytree serve", "whytree work", "whytree mcp"}
    for words, command in _generator()._commands("whytree", typer.main.get_command(build())):
        assert command.help, f"{words} has no help"
        options = {name for parameter in command.params for name in parameter.opts}
        assert "--json" in options or words in without_json, f"{words} has no --json"
        for parameter in command.params:
            assert getattr(parameter, "help", "") or parameter.name == "help", f"{words}: {parameter.name} has no help"


def test_every_operation_says_what_it_does() -> None:
    from whytree.site.api import api

    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description") or operation.get("summary"), f"{method} {path}"


def test_bodies_of_one_name_are_described_each_for_itself() -> None:
    """Who writes a client from the description must not be told of another room's body."""
    from whytree.site.api import api

    told = api.get_openapi_schema()
    described = told["components"]["schemas"]

    def body(path: str, method: str) -> set[str]:
        schema = told["paths"][f"/api/products/{{product}}/{path}"][method]["requestBody"]["content"][
            "application/json"
        ]
        return set(described[schema["schema"]["$ref"].rpartition("/")[2]]["properties"])

    assert body("events/plan", "put") == {"plan"}
    assert {"title", "questions"} <= body("boards", "post")
    assert {"is_open", "intro"} <= body("board", "put")
    assert not {"PlanIn", "BoardIn", "ImportIn", "MetricIn"} & set(described)


#: What is read, changed and sent back whole, with what only the server says.
SENT_BACK = {"IntakeIn", "MetricIn_experiments"}
#: What a command line reads in a clone or a file: a newer one may tell more than its server knows.
OPEN = (
    "/repositories",
    "/tickets",
    "/pull-requests/import",
    "/trackers",
    "/why",
    "/improve",
    "/drafts/propose",
    "/events/import",
)


def test_a_body_that_somebody_writes_takes_no_field_that_it_does_not_know() -> None:
    """A misspelt one is refused: ignored, it would answer 200 and change nothing."""
    from whytree.site.api import api

    told = api.get_openapi_schema()
    described = told["components"]["schemas"]

    def named(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if "$ref" in node:
                name = node["$ref"].rpartition("/")[2]
                yield name
                yield from named(described[name])
            else:
                yield from (name for each in node.values() for name in named(each))
        elif isinstance(node, list):
            yield from (name for each in node for name in named(each))

    for path, methods in told["paths"].items():
        if path.removeprefix("/api/products/{product}").startswith(OPEN):
            continue
        for method, operation in methods.items():
            for name in set(named(operation.get("requestBody", {}))) - SENT_BACK:
                body = described[name]
                assert "properties" not in body or body.get("additionalProperties") is False, f"{method} {path}: {name}"


@pytest.mark.parametrize("page", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_nothing_speaks_of_where_it_was_made() -> None:
    """No path of anybody's machine in what is shipped."""
    for page in DOCS:
        assert not re.search(r"/(work|root|home|tmp)/\w", page.read_text("utf-8")), page


def test_the_house_stands_as_its_page_says() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert sorted(rooms) == sorted(one.parent.name for one in (ROOT / "src" / "whytree").glob("*/__init__.py"))
    named = [path for path in re.findall(r"`([\w./]+/[\w./]*)`", text) if not path.startswith("app/")]
    assert [path for path in named if not any((ROOT / below / path).exists() for below in ("", "src/whytree"))] == []
