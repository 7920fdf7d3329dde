"""Form fields: what events say of them, what code does with them, side by side at every door."""

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.code.conftest import refusal
from tests.code.repositories import Clone
from whytree.code import services
from whytree.code.models import FieldReading
from whytree.code.references import form_fields
from whytree.code.references.form_fields import PushedField, unread_fields
from whytree.errors import Conflict, Forbidden, Invalid

ROOT, REV = "a" * 40, "b" * 40
PLACE = {"path": "a.py", "line": 3, "says": "form.cleaned_data['size']"}
FORM = "from django import forms\n\n\nclass SignUp(forms.Form):\n    size = forms.CharField()\n    mail = forms.CharField()\n"
VIEW = "def f(form):\n    return form.cleaned_data['mail']\n"
_ids = count(1)


@pytest.fixture
def filled(store: Any, product: Any) -> Callable[..., None]:
    """`filled(person, field="size", seconds="7.2")`: somebody filled in a field yesterday."""

    def write(person: int, days_ago: float = 1.0, **properties: str) -> None:
        at = timezone.now() - timedelta(days=days_ago)
        row = {
            "product": product.pk,
            "person": person,
            "timestamp": at,
            "event": "field_left",
            "event_id": next(_ids),
            "distinct_id": str(person),
            "received_at": at,
            "properties": properties,
        }
        store.insert("events", [row])

    return write


@pytest.fixture
def repository(actor: Any, product: Any) -> Any:
    return services.register_repository(actor, product, name="app", root_sha=ROOT)


def push(actor: Any, repository: Any, *fields: PushedField) -> None:
    form_fields.push_form_fields(actor, repository, ROOT, REV, fields)


def test_seconds_are_a_median_over_those_that_were_timed(product: Any, filled: Any) -> None:
    for person, seconds in enumerate(["3", "7.2", "100", "", "soon", "-1", "inf"]):
        filled(person, field="size", seconds=seconds, form="sign-up")
    filled(9, field="size", form="booking")
    filled(10, field="", seconds="3")
    filled(11, other="x")
    filled(12, 400.0, field="old")
    (found,) = form_fields.form_fields(product)
    assert (found.name, found.forms, found.people, found.seconds, found.timed) == (
        "size",
        ["booking", "sign-up"],
        7,
        7.2,
        3,
    )
    assert found.says == "7.2 s median (n = 3), nobody looked whether code reads it"


def test_what_nobody_reads_comes_first_and_read_last(actor: Any, product: Any, filled: Any, repository: Any) -> None:
    for name in ("mail", "size", "town", "zip"):
        filled(1, field=name, seconds="2")
    push(
        actor,
        repository,
        PushedField("mail", "read", reads=[PLACE]),
        PushedField("size", "nobody"),
        PushedField("town", "unsure", hides=[PLACE]),
    )
    found = form_fields.form_fields(product)
    assert [(one.name, one.verdict) for one in found] == [
        ("size", "nobody"),
        ("town", "unsure"),
        ("zip", ""),
        ("mail", "read"),
    ]
    assert [one.name for one in unread_fields(product)] == ["size"]


def test_a_second_repository_that_is_not_sure_makes_nobody_unsure(
    actor: Any, product: Any, filled: Any, repository: Any
) -> None:
    filled(1, field="size")
    push(actor, repository, PushedField("size", "nobody"))
    other = services.register_repository(actor, product, name="lib", root_sha="c" * 40)
    form_fields.push_form_fields(actor, other, "c" * 40, REV, [PushedField("size", "unsure")])
    assert [one.verdict for one in form_fields.form_fields(product)] == ["unsure"]
    assert unread_fields(product) == []


def test_telling_again_replaces(actor: Any, repository: Any) -> None:
    push(actor, repository, PushedField("size", "nobody"), PushedField("size", "unsure"))
    push(actor, repository, PushedField("size", "read", reads=[PLACE]))
    assert [(one.verdict, one.reads) for one in FieldReading.objects.all()] == [("read", [PLACE])]


@pytest.mark.parametrize(
    "wrong",
    [
        PushedField("size", "maybe"),
        PushedField("", "read"),
        PushedField("x" * 101, "read"),
        PushedField("size", "nobody", reads=[PLACE]),
        PushedField("size", "nobody", hides=[PLACE]),
    ],
)
def test_what_contradicts_itself_is_refused(actor: Any, repository: Any, wrong: PushedField) -> None:
    with pytest.raises(Invalid):
        push(actor, repository, PushedField("mail", "read"), wrong)
    assert not FieldReading.objects.exists()


def test_another_clone_a_viewer_and_an_outsider_are_refused(
    actor: Any, repository: Any, viewer: Any, api_bob: Any, api_viewer: Any, api_charlie: Any
) -> None:
    from whytree.workspace.entry.keys import actor_of_user

    with pytest.raises(Conflict):
        form_fields.push_form_fields(actor, repository, "c" * 40, REV, [])
    with pytest.raises(Forbidden):
        push(actor_of_user(viewer), repository)
    path = f"/products/sprout/repositories/{repository.pk}/form-fields"
    body = {"root_sha": ROOT, "rev": REV, "fields": [{"field": "size", "verdict": "nobody"}]}
    assert [one.post(path, body).status for one in (api_viewer, api_charlie, api_bob)] == [403, 404, 204]
    assert api_charlie.get("/products/sprout/form-fields").status == 404


def test_the_page_the_api_and_today_say_the_same(
    actor: Any, filled: Any, repository: Any, api_viewer: Any, as_viewer: Any
) -> None:
    assert "No event speaks of a form field yet" in as_viewer.get("/p/sprout/events/fields").content.decode()
    filled(1, field="size", seconds="7.2")
    filled(2, field="<b>x</b>", form="<i>y</i>")
    push(
        actor, repository, PushedField("size", "nobody", "No code reads size.", defined=[{**PLACE, "says": "<u>z</u>"}])
    )
    page = as_viewer.get("/p/sprout/events/fields").content.decode()
    assert "size takes 7 s (median), and no code reads it." in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<b>x</b>" not in page
    assert "<u>z</u>" not in page
    answer = api_viewer.get("/products/sprout/form-fields").ok
    assert (answer[0]["field"], answer[0]["seconds"], answer[0]["verdict"]) == ("size", 7.2, "nobody")
    assert answer[0]["readings"][0]["defined"][0]["path"] == "a.py"
    assert "filled in and read by no code" in as_viewer.get("/p/sprout/today").content.decode()
    assert api_viewer.get("/products/sprout/form-fields?days=0").status == 400


def test_adding_a_repository_looks_for_the_fields_of_events(clone: Clone, cli: Any, product: Any, filled: Any) -> None:
    filled(1, field="size", seconds="7.2")
    filled(1, field="mail", seconds="2")
    filled(1, field="no code \x1b has this; '", seconds="2")
    clone.commit("Form", **{"form.py": FORM, "view.py": VIEW})
    assert cli("repository", "add", ".", cwd=clone.path).exit_code == 0
    verdicts = {one.name: one.verdict for one in form_fields.form_fields(product)}
    assert verdicts == {"size": "nobody", "mail": "read", "no code \x1b has this; '": "unsure"}
    listed = cli("field", "list", cwd=clone.path).output
    assert "7.2 s median (n = 1), no code reads it" in listed
    assert "\x1b" not in listed
    clone.commit("Read it", **{"use.py": "def f(form):\n    return form.cleaned_data['size']\n"})
    assert cli("repository", "sync", cwd=clone.path).exit_code == 0
    assert unread_fields(product) == []


def test_code_that_is_not_looked_at_makes_it_unsure(clone: Clone, tmp_path: Path) -> None:
    from whytree.code.clone.git import open_clone
    from whytree.code.scanning.field_search import FieldSearch

    clone.commit("Form", **{"form.py": FORM, "view.py": VIEW})
    assert FieldSearch(open_clone(clone.path)).look("size").verdict == "nobody"
    library = Clone(tmp_path / "library")
    library.commit("Read", **{"lib.py": "def f(form):\n    return form.cleaned_data['size']\n"})
    clone.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.path), "vendored")
    clone.commit("Vendor")
    found = FieldSearch(open_clone(clone.path)).look("size")
    assert (found.verdict, [one.says for one in found.hides]) == ("unsure", ["1 submodule is not searched."])


def test_looking_without_a_registered_clone_tells_nobody(clone: Clone, cli: Any, store: Any, product: Any) -> None:
    clone.commit("Form", **{"form.py": FORM, "view.py": VIEW})
    done = cli("field", "look", "size", "mail", "street", cwd=clone.path)
    assert "size: nobody. No code reads size." in done.output
    assert "mail: read. 1 place reads mail." in done.output
    assert "  reads      view.py:2  form.cleaned_data['mail']" in done.output
    assert "street: unsure. Not to be told" in done.output
    assert "whytree repository add ." in done.output
    assert not FieldReading.objects.exists()
    told = json.loads(cli("field", "look", "size", "--json", cwd=clone.path).output)
    assert (told["commit"], told["repository"], told["fields"][0]["verdict"]) == (clone.head, None, "nobody")


def test_where_nothing_can_be_looked_at_a_sentence_says_what_to_do(clone: Clone, cli: Any, store: Any) -> None:
    assert "no commit yet" in refusal(cli("field", "look", "size", cwd=clone.path))
    clone.commit("Begin", **{"a.py": ""})
    assert "Name one" in cli("field", "look", cwd=clone.path).output
    assert "No event speaks of a form field yet" in cli("field", "list", cwd=clone.path).output
