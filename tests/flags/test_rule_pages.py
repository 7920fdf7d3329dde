"""The flag's page: who is singled out, why one person gets what they get, and the way back."""

from typing import Any

import pytest

from whytree.flags.models import Flag
from whytree.flags.queries import find_flag
from whytree.flags.rules.versions import versions
from whytree.flags.services import create_flag, open_flag, set_rules

pytestmark = pytest.mark.django_db

PAGE = "/p/sprout/flags/f"
PRO = '{"if": [{"==": [{"var": "plan"}, "pro"]}, "on"]}'


@pytest.fixture
def flag(actor: Any, product: Any) -> Flag:
    create_flag(actor, product, key="base")
    create_flag(actor, product, key="f", weights={"on": 1, "off": 1})
    return open_flag(actor, product, "f", coverage=2_500)


@pytest.fixture(autouse=True)
def no_exposures(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages are not about the event store."""
    monkeypatch.setattr("whytree.flags.pages._met", lambda flag: {"exposures": None})


def text(answer: Any) -> str:
    import html

    return html.unescape(answer.content.decode())


def test_a_plain_flag_singles_nobody_out(as_alice: Any, flag: Flag) -> None:
    assert "Nobody is singled out: coverage and weights alone decide." in text(as_alice.get(PAGE))


def test_the_form_saves_the_whole_section_and_shows_it_again(as_alice: Any, product: Any, flag: Flag) -> None:
    form = {
        "targeting": PRO,
        "overrides": "maria = on\nbob@x=y = off\n",
        "prerequisites": "base = on\nbase = off",
        "on_from": "2026-01-01T09:00",
        "on_until": "2027-01-01T09:00",
        "unit": "person",
        "is_sticky": "on",
        "heeds_holdout": "on",
        "group": "sign-up",
        "group_start": "0",
        "group_end": "5000",
    }
    page = text(as_alice.post(f"{PAGE}/rules", form, follow=True))
    saved = find_flag(product, "f")
    assert saved.overrides == {"maria": "on", "bob@x=y": "off"}
    assert saved.prerequisites == [{"flag": "base", "variants": ["on", "off"]}]
    assert saved.is_sticky
    for sentence in (
        "Only from 1 Jan 2026 09:00 until 1 Jan 2027 09:00 UTC; else everybody gets off.",
        "Off while base gives something else than on or off.",
        "2 people have overrides.",
        "In the group sign-up, whose flags share nobody, it has the places 0 to 4,999 of 10,000.",
        'Rule: if(plan is "pro", "on"). Whom it gives nothing is left to the rollout.',
        "Sticky: who has a variant keeps it",
        "bob@x=y = off",
        'value="2026-01-01T09:00"',
    ):
        assert sentence in page
    emptied = dict.fromkeys(form, "") | {"unit": "person"}
    as_alice.post(f"{PAGE}/rules", emptied)
    again = find_flag(product, "f")
    assert (again.targeting, again.overrides, again.prerequisites, again.group, again.on_from) == (
        None,
        {},
        [],
        None,
        None,
    )


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("targeting", "{", "The rule is no JSON that can be read"),
        ("targeting", "[1]", "must be an object in JSON"),
        ("targeting", '{"regex": []}', "There is no operator 'regex'"),
        ("overrides", "maria", "'maria' is no override"),
        ("overrides", "maria = blue", "There is no variant “blue”"),
        ("prerequisites", "base", "'base' is no flag it needs"),
        ("prerequisites", "f = on", "A circle: f needs f"),
        ("on_from", "soon", "“soon” is no moment"),
        ("group_start", "half", "Places in a group are whole numbers"),
        ("unit", "company", "Another unit moves everybody"),
    ],
)
def test_what_cannot_be_taken_is_said_and_what_was_typed_stays(
    as_alice: Any, product: Any, flag: Flag, field: str, value: str, says: str
) -> None:
    form = {"targeting": PRO, "overrides": "maria = on", "unit": "person", "heeds_holdout": "on"} | {field: value}
    answer = as_alice.post(f"{PAGE}/rules", form)
    assert answer.status_code in (400, 409)
    assert says in text(answer)
    assert form["targeting"] in text(answer)
    assert find_flag(product, "f").targeting is None


def test_why_one_person_gets_what_they_get(as_alice: Any, actor: Any, product: Any, flag: Flag) -> None:
    set_rules(actor, product, "f", targeting={"if": [{"==": [{"var": "plan"}, "pro"]}, "on"]}, overrides={"bob": "off"})
    page = text(as_alice.get(PAGE, {"person": "maria", "context": "plan = pro"}))
    assert "maria has no override." in page
    assert 'plan is "pro" (plan: "pro"): yes.' in page
    page = text(as_alice.get(PAGE, {"person": "maria", "context": '{"plan": "free"}'}, headers={"HX-Request": "true"}))
    assert "<html" not in page
    assert 'plan is "pro" (plan: "free"): no.' in page
    assert "falls into bucket" in page
    assert "bob has an override: off." in text(as_alice.get(PAGE, {"person": "bob"}))
    assert "'plan' is not name = value." in text(as_alice.get(PAGE, {"person": "maria", "context": "plan"}))


def test_a_company_flag_asks_for_the_company(as_alice: Any, actor: Any, product: Any) -> None:
    create_flag(actor, product, key="f", weights={"on": 1, "off": 1})
    set_rules(actor, product, "f", unit="company")
    open_flag(actor, product, "f")
    assert "no company is known here" in text(as_alice.get(PAGE, {"person": "maria"}))
    assert "falls into slot" in text(as_alice.get(PAGE, {"person": "maria", "context": "company.id = acme"}))


def test_one_click_goes_back(as_alice: Any, as_viewer: Any, actor: Any, product: Any, flag: Flag) -> None:
    set_rules(actor, product, "f", overrides={"maria": "on"})
    opened = versions(find_flag(product, "f"))[1]
    page = text(as_alice.get(PAGE))
    assert "Overrides" in page
    assert f"/history/{opened.id}" in page
    assert "Back to this" not in text(as_viewer.get(PAGE))
    assert as_viewer.post(f"{PAGE}/history/{opened.id}").status_code == 403
    assert "f is on 25 %, as it was then." in text(as_alice.post(f"{PAGE}/history/{opened.id}", follow=True))
    assert find_flag(product, "f").overrides == {}


def test_what_people_wrote_is_shown_as_text(as_alice: Any, actor: Any, product: Any, flag: Flag) -> None:
    evil = "<script>alert(1)</script>"
    set_rules(actor, product, "f", overrides={evil: "on"}, targeting={"if": [{"==": [{"var": "x"}, evil]}, "on"]})
    page = as_alice.get(PAGE, {"person": evil, "context": f"x = {evil}"}).content.decode()
    assert evil not in page


def test_who_may_not_see_sees_nothing(as_charlie: Any, as_viewer: Any, flag: Flag) -> None:
    assert as_charlie.post(f"{PAGE}/rules").status_code == 404
    assert as_viewer.post(f"{PAGE}/rules").status_code == 403
    assert "Edit targeting" not in text(as_viewer.get(PAGE))


def test_what_flags_share_is_on_their_list(
    as_alice: Any, as_bob: Any, as_viewer: Any, product: Any, flag: Flag, actor: Any
) -> None:
    page = text(as_alice.get("/p/sprout/flags"))
    assert "Nobody is held out of all changes." in page
    condition = {"key": "ours", "name": "One of us", "logic": '{"ends_with": [{"var": "email"}, "@acme.com"]}'}
    assert "ours is saved." in text(as_bob.post("/p/sprout/flag-conditions", condition, follow=True))
    set_rules(actor, product, "f", targeting={"if": [{"$ref": "ours"}, "on"]})
    page = text(as_viewer.get("/p/sprout/flags"))
    assert 'email ends with "@acme.com"' in page
    assert f'href="{PAGE}#rules"' in page
    refused = as_alice.post("/p/sprout/flag-conditions", condition | {"logic": "{"})
    assert refused.status_code == 400
    assert "The condition is no JSON that can be read" in text(refused)
    assert 'value="One of us"' in text(refused)
    assert as_viewer.post("/p/sprout/flag-conditions", condition).status_code == 403


def test_the_holdout_is_a_maintainers_matter(as_alice: Any, as_bob: Any, as_charlie: Any, flag: Flag) -> None:
    assert "5 % are held out." in text(as_alice.post("/p/sprout/flag-holdout", {"percent": "5"}, follow=True))
    assert "5 % of the people are held out" in text(as_bob.get("/p/sprout/flags"))
    assert 'id="holdout"' not in text(as_bob.get("/p/sprout/flags"))
    assert as_bob.post("/p/sprout/flag-holdout", {"percent": "5"}).status_code == 403
    assert as_charlie.post("/p/sprout/flag-holdout", {"percent": "5"}).status_code == 404
    for percent in ("80", "", "half"):
        assert as_alice.post("/p/sprout/flag-holdout", {"percent": percent}).status_code == 400
