"""Themes on pages, over the API and on the command line: the same answers, and nobody's text obeyed."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.engines.test_themes import spoken
from tests.voice.conftest import Done, here
from whytree.engines.themes import find_with
from whytree.tree.models import EvidenceLink, Opportunity
from whytree.voice.models import Theme, ThemeRun
from whytree.voice.themes import queries
from whytree.voice.themes.refreshing import refresh_themes

HOSTILE = '<script>alert(1)</script> parcel & "quotes" <img src=x onerror=alert(2)>'


@pytest.fixture
def themes(actor: Any, product: Any) -> list[Theme]:
    from whytree.voice.services import add_many

    texts = [*spoken(16)[0], *(f"{HOSTILE} my parcel {word}" for word in ("one", "two", "three"))]
    add_many(actor, product, items=[{"text": text, "source_name": "<b>play</b>", "rating": 3} for text in texts])
    refresh_themes(ThemeRun.objects.create(product=product), find=partial(here, find_with))
    return [shown.theme for shown in queries.overview(product).themes]


def read(client: Any, path: str, status: int = 200) -> str:
    answer = client.get(f"/p/sprout/{path}")
    assert answer.status_code == status, answer.content[:2000]
    return str(answer.content.decode())


def do(client: Any, theme: Theme, verb: str, **form: Any) -> str:
    answer = client.post(f"/p/sprout/{theme.ref}/{verb}", form, follow=True)
    assert answer.status_code == 200, answer.content[:2000]
    return str(answer.content.decode())


# --- pages -----------------------------------------------------------------------------------------------------------


def test_without_themes_the_page_says_how_they_come(as_alice: Any, product: Any) -> None:
    assert "Nobody has looked for themes" in read(as_alice, "themes")
    asked = as_alice.post("/p/sprout/themes/find", follow=True).content.decode()
    assert "Themes are being looked for" in asked
    assert "Reading all voices" in asked


def test_the_map_draws_every_theme_and_the_list_names_it(as_viewer: Any, themes: list[Theme]) -> None:
    page = read(as_viewer, "themes")
    assert f"voices speak of {len(themes)} themes" in page
    for theme in themes:
        assert page.count(f'href="/p/sprout/{theme.ref}"') == 3, "wide map, narrow map, list"
    circles = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)"', page)[: len(themes)]
    placed = [tuple(map(float, circle)) for circle in circles]
    for at, (x, y, r) in enumerate(placed):
        assert r <= x <= 760 - r
        assert r <= y <= 560 - r
        for other_x, other_y, other_r in placed[:at]:
            assert (x - other_x) ** 2 + (y - other_y) ** 2 > (r + other_r - 1) ** 2, "no bubble lies on another"


def test_every_text_of_a_stranger_is_escaped(as_alice: Any, actor: Any, themes: list[Theme]) -> None:
    from whytree.voice.themes.services import rename_theme

    rename_theme(actor, themes[0], HOSTILE[:100])
    for path in ("themes", *(theme.ref for theme in themes)):
        page = read(as_alice, path)
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert "<b>play" not in page, path


def test_a_voices_own_page_says_which_theme_it_is_in(as_viewer: Any, themes: list[Theme]) -> None:
    member = queries.voices_of(themes[0])[0][0]
    assert f'href="/p/sprout/{themes[0].ref}"' in read(as_viewer, member.item.ref)


def test_a_theme_is_renamed_joined_parted_dismissed_and_brought_back(as_bob: Any, themes: list[Theme]) -> None:
    one, two = themes[:2]
    assert "is called “Parcels” now" in do(as_bob, one, "rename", name="Parcels")
    assert "counts for “Parcels” from now on" in do(as_bob, two, "join", into=one.ref)
    assert "take out" in read(as_bob, one.ref)
    assert "Its voices are shown under" in read(as_bob, two.ref)
    assert "a theme of its own again" in do(as_bob, two, "part")
    assert "1 dismissed" in do(as_bob, two, "dismiss")
    assert "is on the map again" in do(as_bob, two, "bring-back")
    assert "no theme THM-99" in do(as_bob, two, "join", into="THM-99") or "There is no THM-99" in do(
        as_bob, two, "join", into="THM-99"
    )


def test_voices_chosen_on_the_page_get_a_theme_of_their_own(as_bob: Any, themes: list[Theme]) -> None:
    page = read(as_bob, themes[0].ref)
    chosen = re.findall(r'name="item" value="(FB-\d+)"', page)[:3]
    made = do(as_bob, themes[0], "split", item=chosen, name="Lost parcels")
    assert "3 voices on “Lost parcels”" in made
    assert "split off by hand" in made
    assert "Choose the voices" in do(as_bob, themes[0], "split", name="Nothing")


def test_a_theme_is_adopted_and_its_voices_confirmed_one_by_one(as_bob: Any, themes: list[Theme]) -> None:
    theme = themes[0]
    page = do(as_bob, theme, "adopt", title="My parcel never comes", kind="pain_point")
    assert "wait for a yes" in page
    opportunity = Opportunity.objects.get()
    first, second = re.findall(r'id="(FB-\d+)"', page)[:2]
    answer = as_bob.post(f"/p/sprout/{theme.ref}/{first}/yes", {"from": "0"})
    assert answer.url == f"/p/sprout/{theme.ref}#{first}"
    as_bob.post(f"/p/sprout/{theme.ref}/{second}/no", {"from": "30"})
    assert EvidenceLink.objects.get(source_id=first).provenance == "stated"
    assert not EvidenceLink.objects.filter(source_id=second).exists()
    assert opportunity.ref in read(as_bob, "themes")
    assert "machine-made again" in do(as_bob, theme, "release")


def test_a_viewer_may_look_and_not_touch(as_viewer: Any, as_charlie: Any, themes: list[Theme]) -> None:
    page = read(as_viewer, themes[0].ref)
    assert "<button" not in page.split('id="content"')[1].split("</main>")[0]
    assert as_viewer.post(f"/p/sprout/{themes[0].ref}/dismiss").status_code == 403
    assert as_charlie.get(f"/p/sprout/{themes[0].ref}").status_code == 404
    assert as_charlie.get("/p/sprout/themes").status_code == 404
    assert as_viewer.get("/p/sprout/THM-999").status_code == 404


# --- API -------------------------------------------------------------------------------------------------------------


def test_the_api_says_what_the_page_says(api: Any, themes: list[Theme]) -> None:
    listed = api.get("/products/sprout/themes").body
    assert [theme["ref"] for theme in listed["themes"]] == [theme.ref for theme in themes]
    assert listed["run"]["items"] == 67
    one = api.get(f"/products/sprout/themes/{themes[0].ref.lower()}?limit=5").body
    assert len(one["voices"]) == 5
    assert one["next"] == 5
    assert one["size"] == listed["themes"][0]["size"]
    assert api.get("/products/sprout/themes/THM-99").status == 404
    assert api.get("/products/sprout/themes/what").status == 404
    assert api.get(f"/products/sprout/themes/{themes[0].ref}?limit=0").status == 400


def test_the_api_does_what_the_page_does(api: Any, themes: list[Theme]) -> None:
    ref, other = (f"/products/sprout/themes/{theme.ref}" for theme in themes[:2])
    assert api.post("/products/sprout/themes").status == 202
    assert api.post(f"{ref}/rename", {"name": "Parcels"}).body["title"] == "Parcels"
    assert api.post(f"{other}/join", {"into": themes[0].ref}).body["size"] > api.get(other).body["size"]
    assert api.post(f"{other}/part").body["joined_to"] is None
    assert api.post(f"{other}/dismiss").body["state"] == "dismissed"
    assert api.post(f"{other}/bring-back").body["state"] == "found"
    items = [voice["ref"] for voice in api.get(ref).body["voices"][:2]]
    assert api.post(f"{ref}/split", {"items": items, "name": "Two"}).body["size"] == 2
    adopted = api.post(f"{ref}/adopt", {"title": "No parcel"}).body
    assert adopted["opportunity"] == "OPP-1"
    assert adopted["linked"] > 1
    assert api.post(f"{ref}/release").body["state"] == "found"
    assert api.post(f"{ref}/rename", {"nmae": "x"}).status in (400, 422)


# --- command line ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_line_lists_shows_and_changes_themes(cli: Callable[..., Done], themes: list[Theme]) -> None:
    ref = themes[0].ref
    assert f"voices speak of {len(themes)} themes" in cli("themes").out
    assert ref in cli("theme", "list").out
    assert "Its words: " in cli("theme", "show", ref).out
    assert "is called “Parcels”" in cli("theme", "rename", ref, "Parcels").out
    assert "counts for" in cli("theme", "join", themes[1].ref, ref).out
    assert "own again" in cli("theme", "part", themes[1].ref).out
    assert "dismissed" in cli("theme", "dismiss", themes[1].ref).out
    assert "map again" in cli("theme", "bring-back", themes[1].ref).out
    item = cli("theme", "show", ref, "--json").json["voices"][0]["ref"]
    assert "has 1 voices of" in cli("theme", "split", ref, "--name", "One", "--item", item).out
    assert "OPP-1 has" in cli("theme", "adopt", ref, "--title", "No parcel").out
    assert "machine-made again" in cli("theme", "release", ref).out
    assert "looked for" in cli("theme", "find").out
    assert cli("themes", "--text", "x").error.startswith("Name the file")
    assert cli("theme", "show", "THM-99").code == 1
