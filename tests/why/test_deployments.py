"""What went out for whom, at every door."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.code.repositories import Clone
from whytree.code.models import Deployment
from whytree.workspace.models import Product

PATH = "/products/sprout"


@pytest.fixture
def shipped(cli: Any, clone: Clone, tree: Any, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """v1 with one commit; v2 with one for SOL-1 and one for nobody; told from the clone."""
    for name in ("GITHUB_RUN_ID", "CI_JOB_ID", "BUILDKITE_BUILD_ID", "CIRCLE_WORKFLOW_ID", "BUILD_TAG"):
        monkeypatch.delenv(name, raising=False)
    first = clone.commit("Begin", **{"app/form.py": "a = 1\n"})
    clone.commit("Defer the phone number\n\nWhy: SOL-1", **{"app/form.py": "a = 1\nb = 2\n"})
    clone.commit("Tidy up", **{"app/form.py": "a = 1\nb = 2\nc = 3\n"})
    assert cli("repository", "add", cwd=clone.path).exit_code == 0
    hour = timedelta(hours=1)
    for version, commit, at in (("v1", first, 30 * 24 * hour), ("v2", "HEAD", 2 * hour)):
        when = (timezone.now() - at).isoformat()
        told = cli("deployment", "add", "--version", version, "--commit", commit, "--finished", when, cwd=clone.path)
        assert told.exit_code == 0, told.output
    return clone


def test_from_one_line_in_ci_to_whom_it_was_for(cli: Any, api: Any, as_viewer: Any, shipped: Clone) -> None:
    assert cli("incident", "add", "INC-7", "Sign-up fails", "--caused-by", "v2").exit_code == 0
    said = cli("deployment", "list").output
    assert "2 new commits" in said
    assert "SOL-1    Defer phone number" in said
    assert "INC-7    Sign-up fails (stated)" in said
    assert "the first known" in said
    page = as_viewer.get("/p/sprout/deployments").content.decode()
    assert '<span class="whole">INC-7</span> is open: Sign-up fails.' in page
    assert "Defer phone number" in page
    newest, first = json.loads(cli("deployment", "list", "--json").output)
    assert [one["subject"] for one in newest["new_commits"]] == ["Tidy up", "Defer the phone number"]
    assert (first["first"], first["new_commits"]) == (True, [])
    assert cli("incident", "close", "INC-7").exit_code == 0
    assert "v2 is live, with 2 new commits." in as_viewer.get("/p/sprout/deployments").content.decode()
    dora = {one["key"]: one["says"] for one in json.loads(cli("deployment", "dora", "--json").output)["measures"]}
    assert "n = 2 commits" in dora["change_lead_time"]
    assert dora["change_fail_rate"].startswith("50 %")


def test_a_run_that_is_tried_again_is_the_same_deployment(
    cli: Any, shipped: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    for environment in ("staging", "production", "production"):
        cli("deployment", "add", "--environment", environment, cwd=shipped.path)
    assert Deployment.objects.filter(sent_id__startswith="GITHUB_RUN_ID-77").count() == 2


def test_why_says_since_when_a_commit_is_live(cli: Any, api: Any, as_viewer: Any, shipped: Clone) -> None:
    answer = json.loads(cli("why", "app/form.py:2", "--json", cwd=shipped.path).output)
    assert answer["commit"]["live_in"] == "v2"
    assert "in v2" in cli("why", "app/form.py:2", cwd=shipped.path).output
    first = json.loads(cli("why", "app/form.py:1", "--json", cwd=shipped.path).output)["commit"]
    assert (first["live_in"], first["live_before"]) == ("v1", True)
    page = as_viewer.get("/p/sprout/why?q=app/form.py:2").content.decode()
    assert "live since" in page


def test_an_empty_page_says_what_to_do_and_anothers_is_none_of_ones_business(
    product: Product, as_viewer: Any, as_charlie: Any, api_charlie: Any
) -> None:
    assert "whytree deployment add" in as_viewer.get("/p/sprout/deployments").content.decode()
    assert as_charlie.get("/p/sprout/deployments").status_code == 404
    assert api_charlie.get(f"{PATH}/deployments").status == 404
    assert api_charlie.get(f"{PATH}/delivery").status == 404
