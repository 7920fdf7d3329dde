"""A browser keeps our files for ever, and never one of another release."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from whytree.site import assets

pytestmark = pytest.mark.django_db
CSS = "whytree/whytree.css"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Any:
    assets._kept_digest.cache_clear()
    yield
    assets._kept_digest.cache_clear()


def _links(page: Any) -> list[str]:
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', page.content.decode())


def test_every_file_of_a_page_is_there_and_kept_for_ever(as_alice: Any) -> None:
    links = _links(as_alice.get("/p/sprout/tree"))
    assert len(links) > 3
    for link in links:
        response = as_alice.get(link)
        assert response.status_code == 200, link
        assert response["Cache-Control"] == "max-age=31536000, public, immutable", link
        response.close()


@pytest.mark.parametrize("query", ["", "?v=", "?v=0.1.0", "?v=%00", f"?v={'0' * 12}"])
def test_a_file_asked_for_by_another_hash_is_not_kept(as_alice: Any, query: str) -> None:
    """A page made before the upgrade asks for what is no longer there."""
    response = as_alice.get(f"/static/{CSS}{query}")
    assert response.status_code == 200
    assert response["Cache-Control"] == "max-age=60, public"
    response.close()


def test_the_address_changes_with_what_is_in_the_file(
    as_alice: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _links(as_alice.get("/p/sprout/tree"))
    upgraded = tmp_path / "whytree.css"
    upgraded.write_text("body { color: red }")
    find = finders.find
    monkeypatch.setattr(finders, "find", lambda name: str(upgraded) if name == CSS else find(name))
    assets._kept_digest.cache_clear()
    after = _links(as_alice.get("/p/sprout/tree"))
    assert [link for link in before if link not in after] == [link for link in before if CSS in link]


def test_a_file_that_is_not_there_is_404(as_alice: Any) -> None:
    assert as_alice.get("/static/whytree/nothing.css?v=1").status_code == 404
    assert as_alice.get("/static/../settings.py?v=1").status_code == 404
